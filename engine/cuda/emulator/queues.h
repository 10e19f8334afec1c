// The queues of the emulated device. At once (the default): work is done when it is put into a queue. Deferred: as late as
// CUDA allows, when somebody waits for the queue or asks whether a mark in it has been reached. What needs a wait that is
// missing then reads memory that nothing has been written to, which is NaN. A program defers if the environment has
// UMBRA_EMULATED_QUEUES=deferred. Any thread may use any queue; work is done by one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace umbra::emulator {

/// An ordered list of work; null: work is done at once.
struct Queue;

/// Whether queues are deferred that are made from now on.
void defer_queues(bool deferred);

Queue* make_queue();
/// Does the work that is left first.
void destroy_queue(Queue* queue);

/// Puts a step into a queue, which returns whether it is done; if it is not, it is called again later.
void submit_step(Queue* queue, std::function<bool()> step);
/// Does the work that is in a queue. Throws Error while this thread captures a graph.
void finish(Queue* queue);
/// Does all work of all queues, as a GPU does before memory is released.
void finish_all();

/// A place in a queue. It may outlive the queue.
struct Mark {
  std::shared_ptr<Queue> queue;                                 // null: it has been reached
  std::uint64_t place = 0;                                      // number of steps before it
  std::shared_ptr<std::chrono::steady_clock::time_point> time;  // when it was reached
};
/// A mark after everything in the queue.
Mark mark_in(Queue* queue);
/// Works until the mark has been reached.
void finish(const Mark& mark);
/// Works without waiting for other processes, and returns whether the mark has been reached.
bool advance(const Mark& mark);
/// Puts a step into `queue` that is done when the mark has been reached.
void wait_in_queue(Queue* queue, const Mark& mark);

/// What this thread gives submit() (emulator.h) from now on belongs to a graph. Other threads work as before.
void begin_capture();
std::vector<std::function<void()>> end_capture();
/// Whether this thread captures a graph.
bool is_capturing();

/// Memory of the device and pinned memory. All other memory is pageable: a copy from or to it is done when the call
/// returns.
void add_memory(const void* begin, std::size_t bytes);
void remove_memory(const void* begin);
/// Whether these bytes are in memory that was added.
bool owns(const void* begin, std::size_t bytes);

}  // namespace umbra::emulator
