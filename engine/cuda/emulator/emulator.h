// A CUDA grid on one thread of the host. Blocks run one after the other; the threads of a block are fibers
// that run until they wait for one another. That is slow and that is all right: it runs the kernels as they
// stand, at small sizes, where there is no GPU, and it is stricter than one:
//
//   - shared memory is exactly as large as the launch asked for, full of NaN when a block starts and guarded
//   behind its
//     end;
//   - blocks and threads can run in another order (set_order): a kernel whose bits then differ has a race;
//   - threads that wait for each other for ever (a barrier that some of them never reach) are an Error in
//   words.
//
// Not for use from several threads at once.
#pragma once

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

// Of the thread that runs.
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

/// In which order blocks, and threads between two barriers, take their turn.
enum class Order { kForward, kBackward, kShuffled };
void set_order(Order order);

/// Runs body() once per thread of every block. Throws Error when threads wait for ever, when a block is
/// larger than CUDA allows or when something was written behind the shared memory.
void run(dim3 blocks, dim3 threads, std::size_t shared_bytes, dim3 cluster,
         const std::function<void()>& body);

/// Does `work` now or, while a graph is being captured, when the graph is launched.
void submit(std::function<void()> work);

/// Number of the running thread in its warp; threads are numbered x first.
unsigned lane();
/// The block's shared memory. Throws Error when the launch asked for less than `bytes`.
void* shared_memory(std::size_t bytes);
/// Waits until every thread of the block waits here.
void wait_for_block();
/// Waits until all lanes in `mask` of this warp have given their number, calls take(all 32 of them), and
/// waits until all have taken.
void meet_in_warp(unsigned mask, std::uint64_t value, const std::function<void(const std::uint64_t*)>& take);
/// The same for one of the numbers, that of lane `from`, which is returned.
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
