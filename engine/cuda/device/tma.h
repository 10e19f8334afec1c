// Asynchronous copies from global to shared memory by the tensor memory accelerator, for nvcc;
// engine/cuda/emulator has the version for the host. A copy reports its bytes to a barrier (mbarrier.h),
// whose phase must expect them. (PTX ISA: "cp.async.bulk", "cp.async.bulk.tensor"; CUDA driver API:
// cuTensorMapEncodeTiled.) Hopper only; on other GPUs the device functions trap.
#pragma once

#include <cuda.h>

#include <cstdint>

#include "cuda_grid.h"
#include "engine/cuda/tile/tensor_map_spec.h"
#include "mbarrier.h"

namespace umbra {

/// A tensor in global memory and the box of it that one copy fetches. It is passed to a kernel by value, as
/// `const __grid_constant__ TensorMap`, by itself or in a struct.
struct TensorMap {
  CUtensorMap map;  // aligned as copies require
};

/// Host side. If the driver refuses the map, the launch that uses it does not start, and
/// Backend::launch_error() returns the reason.
inline TensorMap tensor_map(const TensorMapSpec& spec) {
  TensorMap made{};
  void* entry = nullptr;  // in the driver's library, which is not linked: machines without a GPU lack it
  cudaDriverEntryPointQueryResult found{};
  constexpr unsigned kSince = 12000;  // CUDA 12.0
  const cudaError_t status =
      cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry, kSince, cudaEnableDefault, &found);
  if (status != cudaSuccess || found != cudaDriverEntryPointSuccess) {
    cudaGetLastError();  // clears the error, which is reported here
    refuse_tensor_map(spec, concat("the driver offers no cuTensorMapEncodeTiled: ",
                                   status != cudaSuccess ? cudaGetErrorString(status) : "it is too old"));
    return made;
  }
  constexpr CUtensorMapSwizzle kPatterns[] = {CU_TENSOR_MAP_SWIZZLE_NONE, CU_TENSOR_MAP_SWIZZLE_32B,
                                              CU_TENSOR_MAP_SWIZZLE_64B, CU_TENSOR_MAP_SWIZZLE_128B};
  constexpr cuuint32_t kEveryElement[] = {1, 1, 1, 1, 1};
  cuuint64_t extent[5] = {}, pitch[4] = {};
  cuuint32_t box[5] = {};
  for (int d = 0; d < spec.rank; ++d) {
    extent[d] = spec.extent[d];
    box[d] = spec.box[d];
    if (d > 0) pitch[d - 1] = spec.pitch[d - 1];
  }
  const CUresult result = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(entry)(
      &made.map, spec.element_bytes == 2 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
      static_cast<cuuint32_t>(spec.rank), const_cast<void*>(spec.data), extent, pitch, box, kEveryElement,
      CU_TENSOR_MAP_INTERLEAVE_NONE, kPatterns[static_cast<int>(spec.swizzle)],
      CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  // The runtime uses the driver's error numbers, so it can describe this one.
  if (result != CUDA_SUCCESS)
    refuse_tensor_map(spec, concat("cuTensorMapEncodeTiled returned ", static_cast<int>(result), ", ",
                                   cudaGetErrorString(static_cast<cudaError_t>(result))));
  return made;
}

/// Fetches the map itself into its cache. One thread calls it, early.
__device__ inline void tma_prefetch(const TensorMap& map) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
#else
  __trap();
#endif
}

#define UMBRA_TMA "cp.async.bulk.tensor"
#define UMBRA_TMA_FORM ".shared::cluster.global.tile.mbarrier::complete_tx::bytes"

/// Copies the box whose first element has these coordinates (innermost first; they may be outside the tensor)
/// to `shared`, which must be at a multiple of 128 bytes, or of 1024, 512 or 256 with a swizzle of rows of
/// 128, 64 or 32. One thread calls it. All bytes of the box count at `barrier`, including zeros.
template <class... Coordinates>
__device__ inline void tma_load(void* shared, const TensorMap& map, Barrier& barrier,
                                Coordinates... coordinates) {
  constexpr int kRank = sizeof...(coordinates);
  static_assert(kRank >= 2 && kRank <= 5);
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  const unsigned to = shared_address(shared), tell = shared_address(&barrier);
  const int at[] = {static_cast<int>(coordinates)...};
  if constexpr (kRank == 2) {
    asm volatile(UMBRA_TMA ".2d" UMBRA_TMA_FORM " [%0], [%1, {%3, %4}], [%2];" ::"r"(to), "l"(&map),
                 "r"(tell), "r"(at[0]), "r"(at[1])
                 : "memory");
  } else if constexpr (kRank == 3) {
    asm volatile(UMBRA_TMA ".3d" UMBRA_TMA_FORM " [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to), "l"(&map),
                 "r"(tell), "r"(at[0]), "r"(at[1]), "r"(at[2])
                 : "memory");
  } else if constexpr (kRank == 4) {
    asm volatile(UMBRA_TMA ".4d" UMBRA_TMA_FORM " [%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(to), "l"(&map),
                 "r"(tell), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
                 : "memory");
  } else {
    asm volatile(UMBRA_TMA ".5d" UMBRA_TMA_FORM " [%0], [%1, {%3, %4, %5, %6, %7}], [%2];" ::"r"(to),
                 "l"(&map), "r"(tell), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
                 : "memory");
  }
#else
  __trap();
#endif
}

/// Copies the same box into every block of the cluster whose bit is set in `mask`: to the address of `shared`
/// in that block. The block's own barrier at the address of `barrier` counts all the bytes.
template <class... Coordinates>
__device__ inline void tma_load_multicast(void* shared, const TensorMap& map, Barrier& barrier,
                                          std::uint16_t mask, Coordinates... coordinates) {
  constexpr int kRank = sizeof...(coordinates);
  static_assert(kRank >= 2 && kRank <= 5);
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  const unsigned to = shared_address(shared), tell = shared_address(&barrier);
  const int at[] = {static_cast<int>(coordinates)...};
#define UMBRA_MULTICAST UMBRA_TMA_FORM ".multicast::cluster"
  if constexpr (kRank == 2) {
    asm volatile(UMBRA_TMA ".2d" UMBRA_MULTICAST " [%0], [%1, {%4, %5}], [%2], %3;" ::"r"(to), "l"(&map),
                 "r"(tell), "h"(mask), "r"(at[0]), "r"(at[1])
                 : "memory");
  } else if constexpr (kRank == 3) {
    asm volatile(UMBRA_TMA ".3d" UMBRA_MULTICAST " [%0], [%1, {%4, %5, %6}], [%2], %3;" ::"r"(to), "l"(&map),
                 "r"(tell), "h"(mask), "r"(at[0]), "r"(at[1]), "r"(at[2])
                 : "memory");
  } else if constexpr (kRank == 4) {
    asm volatile(UMBRA_TMA ".4d" UMBRA_MULTICAST " [%0], [%1, {%4, %5, %6, %7}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(tell), "h"(mask), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
                 : "memory");
  } else {
    asm volatile(UMBRA_TMA ".5d" UMBRA_MULTICAST " [%0], [%1, {%4, %5, %6, %7, %8}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(tell), "h"(mask), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
                 : "memory");
  }
#undef UMBRA_MULTICAST
#else
  __trap();
#endif
}

#undef UMBRA_TMA
#undef UMBRA_TMA_FORM

/// Copies `bytes` contiguous bytes; both addresses and the count are multiples of 16.
__device__ inline void bulk_load(void* shared, const void* global, unsigned bytes, Barrier& barrier) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
          shared_address(shared)),
      "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(shared_address(&barrier))
      : "memory");
#else
  __trap();
#endif
}

}  // namespace umbra
