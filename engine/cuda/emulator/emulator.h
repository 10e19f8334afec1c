// A CUDA grid on one thread of the host. Blocks run one after the other; the threads of a block are fibers
// that run until they wait for one another. The emulator is slow, but it runs the unchanged kernels, at small
// sizes, without a GPU, and it is stricter than a GPU:
//
//   - shared memory is exactly as large as the launch requested, full of NaN when a block starts and guarded
//     after its end;
//   - blocks and threads can run in another order (set_order): a kernel whose bits then differ has a race;
//   - threads that wait for each other forever (at a barrier that some of them never reach) cause an Error.
//
// What kernels call is not thread-safe; the queues of several threads (queues.h) take turns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>

namespace umbra::emulator {

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// Of the running thread.
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

/// The order in which blocks, and threads between two barriers, run.
enum class Order { kForward, kBackward, kShuffled };
void set_order(Order order);

/// Runs body() once per thread of every block. Throws Error when threads wait forever, when a block is larger
/// than CUDA allows or when a kernel wrote past the end of the shared memory.
void run(dim3 blocks, dim3 threads, std::size_t shared_bytes, dim3 cluster,
         const std::function<void()>& body);

/// A launch of a kernel, without its arguments.
struct Launch {
  const void* kernel;  ///< the function's address
  dim3 blocks, threads, cluster;
};
/// From now on every launch is passed to `seen` instead of being executed; null ends that. Results are then
/// whatever memory contained, so only the sequence of launches means something.
void record_launches(std::function<void(const Launch&)> seen);
/// Whether launches are being recorded; if so, this one is. Throws Error if a capture has a kernel's first launch.
bool recorded(const Launch& launch);

/// Puts `work` into a queue (queues.h) or, while a graph is being captured, into the graph.
void submit(void* queue, std::function<void()> work);

/// Number of the running thread in its warp; threads are numbered x first.
unsigned lane();
/// The block's shared memory. Throws Error when the launch requested less than `bytes`.
void* shared_memory(std::size_t bytes);
/// Waits until every thread of the block waits here.
void wait_for_block();
/// What each lane of a warp offers to the others when they meet; null for lanes that do not take part.
using WarpOffers = std::array<void*, 32>;
/// Waits until all lanes in `mask` of this warp have made an offer. Before any of them continues, one of them
/// calls all(their offers), once for the whole warp.
void meet_in_warp(unsigned mask, void* offer, void (*all)(const WarpOffers&));
/// Every lane in `mask` offers a value. Returns the value of lane `from`.
std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from);

template <class T>
T shuffle(unsigned mask, T value, unsigned from) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = exchange(mask, bits, from);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace umbra::emulator
