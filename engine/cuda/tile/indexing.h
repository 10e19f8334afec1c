// The simplest mapping of threads to work: thread i computes element i.
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

/// Whether all pointers are multiples of 16 bytes, so that 16 bytes can be read and written at a time.
template <class... T>
bool aligned_to_16(const T*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

}  // namespace umbra
