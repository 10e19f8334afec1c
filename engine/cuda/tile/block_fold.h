// Sums and other folds over a block, in an order that depends on the number of threads alone.
#pragma once

#include "cuda_grid.h"

namespace umbra {

/// Combines `value` of all lanes of a warp by fold(a, b) in pairs and returns the result in every lane. All
/// lanes must call it.
template <class T, class Fold>
__device__ T warp_fold(T value, const Fold& fold) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value = fold(value, __shfl_xor_sync(kFullWarp, value, lanes));
  return value;
}

/// Combines `value` of all threads of a one-dimensional block of whole warps by fold(a, b) and returns the
/// result in every thread. `scratch` is shared memory for one number per warp, free again after the block's
/// next barrier. All threads must call it.
template <class T, class Fold>
__device__ T block_fold(T value, T* scratch, const Fold& fold) {
  value = warp_fold(value, fold);
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = value;
  __syncthreads();
  T all = scratch[0];
  for (unsigned w = 1; w < blockDim.x / kWarp; ++w) all = fold(all, scratch[w]);
  return all;
}

struct PlusFold {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

struct Larger {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return b > a ? b : a;  // keeps a if a is NaN, ignores b if b is NaN
  }
};

/// The sum of `value` over the lanes of a warp; see warp_fold().
template <class T>
__device__ T warp_sum(T value) {
  return warp_fold(value, PlusFold());
}

/// The sum of `value` over a block; see block_fold().
template <class T>
__device__ T block_sum(T value, T* scratch) {
  return block_fold(value, scratch, PlusFold());
}

}  // namespace umbra
