// Sums over a block in an order that depends on nothing but the number of threads.
#pragma once

#include "cuda_grid.h"

namespace umbra {

/// The sum of `value` over the lanes of a warp, in every lane. All lanes must call it.
template <class T>
__device__ T warp_sum(T value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(kFullWarp, value, lanes);
  return value;
}

/// The sum of `value` over a one-dimensional block of whole warps, in every thread. `scratch` is shared
/// memory for one number per warp, free again when the block has passed its next barrier. All threads must
/// call it.
template <class T>
__device__ T block_sum(T value, T* scratch) {
  value = warp_sum(value);
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = value;
  __syncthreads();
  T sum = scratch[0];
  for (unsigned w = 1; w < blockDim.x / kWarp; ++w) sum += scratch[w];
  return sum;
}

}  // namespace umbra
