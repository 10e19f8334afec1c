// What a kernel needs from CUDA, for nvcc. The folder engine/cuda/emulator holds a header of the same name
// with which the same kernels compile for the host: kernels include "cuda_grid.h" and nothing else of CUDA,
// and the build decides which of the two folders is searched.
//
// A kernel may use: threadIdx, blockIdx, blockDim, gridDim; __syncthreads(), __syncwarp() and the shuffles,
// by whole warps; shared_memory<T>(); float2, float4, int4; arithmetic and <cmath>'s functions in float and
// double; constexpr functions of the engine; __fmul_rn(), a product that is rounded before anything is added
// to it. It never uses atomics on floats: sums have an order.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace umbra {

inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kFullWarp = 0xffffffffu;

/// Blocks, threads of a block and bytes of shared memory of a launch.
struct Grid {
  dim3 blocks, threads;
  std::size_t shared = 0;
};

/// The block's shared memory as one T; Grid::shared must be sizeof(T) at least. Contents are arbitrary.
template <class T>
__device__ T& shared_memory() {
  extern __shared__ __align__(128) unsigned char umbra_shared_memory[];
  return *reinterpret_cast<T*>(umbra_shared_memory);
}

/// Puts kernel(arguments…) into the queue `stream` (a cudaStream_t). A grid without blocks does nothing. What
/// goes wrong is kept by the CUDA runtime, where Backend::launch_error() finds it.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Grid& grid, void* stream, Arguments... arguments) {
  if (grid.blocks.x == 0 || grid.blocks.y == 0 || grid.blocks.z == 0) return;
  constexpr std::size_t kWithoutAsking = 48 << 10;
  cudaFuncAttributes now{};
  if (grid.shared > kWithoutAsking && cudaFuncGetAttributes(&now, kernel) == cudaSuccess &&
      now.maxDynamicSharedSizeBytes <
          static_cast<int>(grid.shared)) {  // never less than a captured launch has
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(grid.shared));
  }
  cudaLaunchConfig_t config{};
  config.gridDim = grid.blocks;
  config.blockDim = grid.threads;
  config.dynamicSmemBytes = grid.shared;
  config.stream = static_cast<cudaStream_t>(stream);
  cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace umbra
