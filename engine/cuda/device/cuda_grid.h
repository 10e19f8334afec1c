// What a kernel needs from CUDA, for nvcc. The folder engine/cuda/emulator has a header of the same name with
// which the same kernels compile for the host: kernels include "cuda_grid.h" and no other CUDA header, and
// the build decides which of the two folders is searched.
//
// A kernel may use: threadIdx, blockIdx, blockDim, gridDim; __syncthreads(), __syncwarp() and the shuffles,
// by whole warps; shared_memory<T>(); shared_address(); named_barrier_sync(), by whole warps;
// __grid_constant__; float2, float4, int4; arithmetic and <cmath>'s functions in float and double; constexpr
// functions of the engine; __fmul_rn(), a product that is rounded before anything is added to it. Kernels
// never use atomics on floats, so the order of sums is fixed. Headers for Hopper's features are in the same
// folder: mbarrier.h, tma.h, wgmma.h, cluster.h.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "engine/runtime/launch_refusal.h"

namespace umbra {

inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kFullWarp = 0xffffffffu;

/// False in the code for cards older than Hopper, in which the kernels with Hopper's instructions only trap: no
/// rung with them is chosen there.
#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)
inline constexpr bool kHopperCode = false;
#else
inline constexpr bool kHopperCode = true;
#endif
__device__ inline void trap() {
  __trap();
}

/// A launch: blocks, threads per block, bytes of shared memory and blocks per cluster (cluster.h). A cluster
/// has at most 8 blocks on every Hopper card, at most 16 on some.
struct Grid {
  dim3 blocks, threads;
  std::size_t shared = 0;
  dim3 cluster{1, 1, 1};
};

/// The block's shared memory as one T; Grid::shared must be at least sizeof(T). It is uninitialised and
/// begins at a multiple of 1024 bytes, as swizzled operands require.
template <class T>
__device__ T& shared_memory() {
  extern __shared__ __align__(1024) unsigned char umbra_shared_memory[];
  return *reinterpret_cast<T*>(umbra_shared_memory);
}

/// The address of an object in shared memory, in the shared address space.
__device__ inline unsigned shared_address(const void* shared) {
  return static_cast<unsigned>(__cvta_generic_to_shared(shared));
}

/// Waits until `threads` threads of the block (a multiple of 32) wait at barrier `id`, 1 to 15; barrier 0 is
/// __syncthreads().
__device__ inline void named_barrier_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

/// Puts kernel(arguments…) into the queue `stream` (a cudaStream_t). A grid without blocks does nothing.
/// Errors are kept by the CUDA runtime, from which Backend::launch_error() reads them. After a refusal
/// (launch_refusal.h) no kernel is launched until the refusal has been reported.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Grid& grid, void* stream, Arguments... arguments) {
  if (grid.blocks.x == 0 || grid.blocks.y == 0 || grid.blocks.z == 0) return;
  if (!launch_refusal().empty()) return;
  constexpr std::size_t kWithoutAsking = 48 << 10;
  cudaFuncAttributes now{};
  if (grid.shared > kWithoutAsking && cudaFuncGetAttributes(&now, kernel) == cudaSuccess &&
      now.maxDynamicSharedSizeBytes <
          static_cast<int>(grid.shared)) {  // never lowered below the limit of a captured launch
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(grid.shared));
  }
  cudaLaunchConfig_t config{};
  config.gridDim = grid.blocks;
  config.blockDim = grid.threads;
  config.dynamicSmemBytes = grid.shared;
  config.stream = static_cast<cudaStream_t>(stream);
  cudaLaunchAttribute cluster{};
  const unsigned blocks_of_cluster = grid.cluster.x * grid.cluster.y * grid.cluster.z;
  if (blocks_of_cluster > 1) {
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = grid.cluster.x;
    cluster.val.clusterDim.y = grid.cluster.y;
    cluster.val.clusterDim.z = grid.cluster.z;
    config.attrs = &cluster;
    config.numAttrs = 1;
    constexpr unsigned kOnEveryCard = 8;
    if (blocks_of_cluster > kOnEveryCard)
      cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
  }
  cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace umbra
