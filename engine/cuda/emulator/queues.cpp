#include "engine/cuda/emulator/queues.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/cuda/emulator/emulator.h"

namespace umbra::emulator {

struct Queue : std::enable_shared_from_this<Queue> {
  std::deque<std::function<bool()>> steps;
  std::uint64_t done = 0;
  std::uint64_t end() const { return done + steps.size(); }
};

namespace {

using Work = std::vector<std::function<void()>>;

// All that threads share. Work is done while the lock is held; steps that wait for others return instead.
struct Shared {
  std::recursive_mutex mutex;
  std::vector<std::shared_ptr<Queue>> queues;
  std::map<const void*, std::size_t> memory;
};

// The graph that this thread captures.
thread_local std::optional<Work> capture;

// Never destroyed: static objects of a program may release memory of a GPU after main().
Shared& shared() {
  static Shared& instance = *new Shared;
  return instance;
}

std::atomic<bool>& deferred() {
  static std::atomic<bool> is = [] {
    const char* text = std::getenv("UMBRA_EMULATED_QUEUES");
    return text != nullptr && std::string_view(text) == "deferred";
  }();
  return is;
}

using Lock = std::lock_guard<std::recursive_mutex>;

// A step leaves the queue before it is called, so that a step that throws is not called again.
bool advance_to(Queue& queue, std::uint64_t place) {
  const Lock lock(shared().mutex);
  while (queue.done < place) {
    std::function<bool()> step = std::move(queue.steps.front());
    queue.steps.pop_front();
    ++queue.done;
    if (step()) continue;
    queue.steps.push_front(std::move(step));
    --queue.done;
    return false;
  }
  return true;
}

template <class Done>
void wait_until(const Done& done) {
  while (!done()) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

}  // namespace

void defer_queues(bool is) {
  deferred() = is;
}

Queue* make_queue() {
  if (!deferred()) return nullptr;
  const Lock lock(shared().mutex);
  return shared().queues.emplace_back(std::make_shared<Queue>()).get();
}

void destroy_queue(Queue* queue) {
  if (queue == nullptr) return;
  finish(queue);
  const Lock lock(shared().mutex);
  std::erase_if(shared().queues, [&](const std::shared_ptr<Queue>& q) { return q.get() == queue; });
}

void submit_step(Queue* queue, std::function<bool()> step) {
  if (queue == nullptr) {
    wait_until([&] {
      const Lock lock(shared().mutex);
      return step();
    });
    return;
  }
  const Lock lock(shared().mutex);
  queue->steps.push_back(std::move(step));
}

void submit(void* queue, std::function<void()> work) {
  if (capture) return capture->push_back(std::move(work));
  submit_step(static_cast<Queue*>(queue), [work = std::move(work)] {
    work();
    return true;
  });
}

void begin_capture() {
  capture.emplace();
}
std::vector<std::function<void()>> end_capture() {
  Work work = std::move(*capture);
  capture.reset();
  return work;
}
bool is_capturing() {
  return capture.has_value();
}

void finish(Queue* queue) {
  require(!is_capturing(), "a queue was waited for while a graph was being captured");
  if (queue != nullptr) finish(mark_in(queue));
}

void finish_all() {
  std::vector<std::shared_ptr<Queue>> all;
  {
    const Lock lock(shared().mutex);
    all = shared().queues;
  }
  for (const std::shared_ptr<Queue>& queue : all) finish(mark_in(queue.get()));
}

Mark mark_in(Queue* queue) {
  const Lock lock(shared().mutex);
  Mark mark{nullptr, 0, std::make_shared<std::chrono::steady_clock::time_point>()};
  submit_step(queue, [time = mark.time] {
    *time = std::chrono::steady_clock::now();
    return true;
  });
  if (queue == nullptr) return mark;
  mark.queue = queue->shared_from_this();
  mark.place = queue->end();
  return mark;
}

bool advance(const Mark& mark) {
  return mark.queue == nullptr || advance_to(*mark.queue, mark.place);
}
void finish(const Mark& mark) {
  wait_until([&] { return advance(mark); });
}
void wait_in_queue(Queue* queue, const Mark& mark) {
  submit_step(queue, [mark] { return advance(mark); });
}

void add_memory(const void* begin, std::size_t bytes) {
  const Lock lock(shared().mutex);
  shared().memory[begin] = bytes;
}
void remove_memory(const void* begin) {
  const Lock lock(shared().mutex);
  shared().memory.erase(begin);
}
bool owns(const void* begin, std::size_t bytes) {
  const Lock lock(shared().mutex);
  auto after = shared().memory.upper_bound(begin);
  if (after == shared().memory.begin()) return false;
  const auto& [first, size] = *--after;
  const std::less_equal<> ordered;
  return ordered(static_cast<const char*>(begin) + bytes, static_cast<const char*>(first) + size);
}

}  // namespace umbra::emulator
