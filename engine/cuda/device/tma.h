// Copies from global to shared memory that the tensor memory accelerator does while the threads go on, for
// nvcc; engine/cuda/emulator has the twin. A copy delivers its bytes to a barrier (mbarrier.h), whose phase
// has to expect them. (PTX ISA: "cp.async.bulk", "cp.async.bulk.tensor"; CUDA driver API:
// cuTensorMapEncodeTiled.) Instructions of Hopper; elsewhere the device functions trap.
#pragma once

#include <cuda.h>

#include <cstdint>

#include "cuda_grid.h"
#include "engine/cuda/tile/operand_layout.h"
#include "mbarrier.h"

namespace umbra {

/// A tensor in global memory and the box of it that one copy fetches. A kernel takes it by value, as
/// `const __grid_constant__ TensorMap`, itself or in a struct.
struct TensorMap {
  CUtensorMap map;  // aligned as copies need it
};

/// The box arrives densely, dimension 0 innermost, its bytes at swizzled() addresses. What lies outside the
/// tensor arrives as zeros. Rules: data at a multiple of 16 bytes; pitches multiples of 16; boxes at most 256
/// long; bytes of a box's row a multiple of 16 and, with a swizzle, exactly its row.
struct TensorMapSpec {
  const void* data;
  int element_bytes;        // 2: bf16, 4: float
  int rank;                 // 2 to 5
  std::uint64_t extent[5];  // elements, innermost first
  std::uint64_t pitch[4];   // bytes from one to the next in dimensions 1 …
  unsigned box[5];          // elements
  Swizzle swizzle;
};

/// Host side. A map that the driver refuses makes a launch fail where Backend::launch_error() finds it.
inline TensorMap tensor_map(const TensorMapSpec& spec) {
  TensorMap made{};
  void* entry = nullptr;  // of the driver's library, which is not linked: machines without a GPU have none
  cudaDriverEntryPointQueryResult found{};
  constexpr unsigned kSince = 12000;  // CUDA 12.0
  bool good = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry, kSince, cudaEnableDefault,
                                               &found) == cudaSuccess &&
              found == cudaDriverEntryPointSuccess;
  if (good) {
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
    good = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(entry)(
               &made.map,
               spec.element_bytes == 2 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
               static_cast<cuuint32_t>(spec.rank), const_cast<void*>(spec.data), extent, pitch, box,
               kEveryElement, CU_TENSOR_MAP_INTERLEAVE_NONE, kPatterns[static_cast<int>(spec.swizzle)],
               CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
  }
  // A call that can only fail leaves "invalid argument" where the runtime keeps its last error.
  if (!good) cudaDeviceGetAttribute(nullptr, cudaDevAttrClockRate, -1);
  return made;
}

/// Fetches the map itself into its cache: one thread, early.
__device__ inline void tma_prefetch(const TensorMap& map) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
#else
  __trap();
#endif
}

#define UMBRA_TMA "cp.async.bulk.tensor"
#define UMBRA_TMA_FORM ".shared::cluster.global.tile.mbarrier::complete_tx::bytes"

/// Copies the box whose first element has these coordinates (innermost first; they may lie outside) to
/// `shared`, at a multiple of 128 bytes, 1024, 512 or 256 under a swizzle of rows of 128, 64 or 32. One
/// thread calls it. All bytes of the box count at `barrier`, those of zeros too.
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

/// The same box into every block of the cluster whose bit is set in `mask`: to the place of `shared` there,
/// and each block's own barrier at the place of `barrier` gets all the bytes.
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

/// Copies `bytes` contiguous ones; both addresses and the number are multiples of 16.
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
