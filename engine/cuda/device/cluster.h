// Clusters: blocks that run at the same time and can read each other's shared memory (Grid::cluster is their
// number). This is the version for nvcc; engine/cuda/emulator has the version for the host. (PTX ISA:
// "barrier.cluster", "mapa", "ld" with .shared::cluster.) Hopper only; on other GPUs these functions trap.
#pragma once

#include "cuda_grid.h"

namespace umbra {

/// This block's number in its cluster, x first, and the number of blocks in the cluster.
__device__ inline unsigned cluster_rank() {
  unsigned rank = 0;
  if constexpr (kHopperCode) {
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  } else {
    trap();
  }
  return rank;
}
__device__ inline unsigned cluster_size() {
  unsigned size = 1;
  if constexpr (kHopperCode) {
    asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
  } else {
    trap();
  }
  return size;
}

/// Waits for all threads of all blocks of the cluster and makes their writes visible to each other. A block
/// whose shared memory others read must call it before it ends: a block's memory must not be read afterwards.
__device__ inline void cluster_sync() {
  if constexpr (kHopperCode) {
    asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
  } else {
    trap();
  }
}

/// The two halves of a cluster_sync() that orders nothing: cluster_arrive_relaxed() does not wait for the
/// thread's stores, which other blocks may therefore not see after cluster_wait(). It is for blocks that only
/// must not end while others read their shared memory: a thread arrives when its last load from another block
/// has been performed, may do anything else that touches no other block, and then waits.
__device__ inline void cluster_arrive_relaxed() {
  if constexpr (kHopperCode) {
    asm volatile("barrier.cluster.arrive.relaxed;" ::: "memory");
  } else {
    trap();
  }
}
__device__ inline void cluster_wait() {
  if constexpr (kHopperCode) {
    asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
  } else {
    trap();
  }
}

/// Loads from the address in the shared memory of block `rank` that corresponds to `mine`.
__device__ inline float4 cluster_load(const float4* mine, unsigned rank) {
  float4 value{};
  if constexpr (kHopperCode) {
    asm volatile(
        "{\n"
        ".reg .b32 theirs;\n"
        "mapa.shared::cluster.u32 theirs, %4, %5;\n"
        "ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [theirs];\n"
        "}"
        : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
        : "r"(shared_address(mine)), "r"(rank)
        : "memory");
  } else {
    trap();
  }
  return value;
}
__device__ inline float cluster_load(const float* mine, unsigned rank) {
  float value = 0;
  if constexpr (kHopperCode) {
    asm volatile(
        "{\n"
        ".reg .b32 theirs;\n"
        "mapa.shared::cluster.u32 theirs, %1, %2;\n"
        "ld.shared::cluster.f32 %0, [theirs];\n"
        "}"
        : "=f"(value)
        : "r"(shared_address(mine)), "r"(rank)
        : "memory");
  } else {
    trap();
  }
  return value;
}

/// How many clusters of the grid's size the GPU runs at a time, for a kernel whose launches all have the grid's
/// shared memory; 0 if none or if the GPU cannot say.
template <class... Parameters>
int clusters_at_once(void (*kernel)(Parameters...), const Grid& grid) {
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim.x = grid.cluster.x;
  cluster.val.clusterDim.y = grid.cluster.y;
  cluster.val.clusterDim.z = grid.cluster.z;
  cudaLaunchConfig_t config{};
  config.gridDim = grid.blocks;
  config.blockDim = grid.threads;
  config.dynamicSmemBytes = grid.shared;
  config.attrs = &cluster;
  config.numAttrs = 1;
  int count = 0;
  if (cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           static_cast<int>(grid.shared)) == cudaSuccess &&
      cudaOccupancyMaxActiveClusters(&count, kernel, &config) == cudaSuccess)
    return count;
  cudaGetLastError();  // or it would be taken for an error of the next launch
  return 0;
}

}  // namespace umbra
