// Which thread of a grid does what, in the simplest case: thread i does element i.
#pragma once

#include "cuda_grid.h"

namespace umbra {

inline constexpr unsigned kElementThreads = 256;

/// Blocks for one thread per element.
inline Grid one_thread_each(std::int64_t count) {
  return {{static_cast<unsigned>((count + kElementThreads - 1) / kElementThreads)}, {kElementThreads}};
}

/// Number of this thread in a one-dimensional grid.
__device__ inline std::int64_t thread_number() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

/// Whether all of these can be read and written 16 bytes at a time, as far as their first element goes.
template <class... T>
bool aligned_to_16(const T*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

}  // namespace umbra
