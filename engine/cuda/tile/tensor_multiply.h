// The multiplication of a slice by a warpgroup, directly from shared memory (tensor_tile.h).
#pragma once

#include "engine/cuda/tile/tensor_slices.h"
#include "wgmma.h"

namespace umbra {

/// The descriptor of the k-th multiplication's operand: rows along the sum …
template <class Tile>
__device__ std::uint64_t rows_operand(unsigned address, int k) {
  constexpr unsigned kIgnored = 16;
  return wgmma_descriptor(address + 32 * static_cast<unsigned>(k), kIgnored, 8 * Tile::kRowBytes,
                          Tile::kSwizzle);
}
/// … or blocks of 64 numbers of a step.
template <class Tile>
__device__ std::uint64_t blocks_operand(unsigned address, int k) {
  constexpr unsigned kEightSteps = 8 * 128;
  return wgmma_descriptor(address + 2 * kEightSteps * static_cast<unsigned>(k), Tile::kBlockBytes,
                          kEightSteps, Swizzle::k128);
}

/// sums += the products of the operands that a(k) and b(k) describe, k from 0 to multiplications - 1. There
/// must be no branch between a fence and its wgmma, or ptxas makes all of them wait for one another (C7520).
template <class Tile, int kN, Major kA, Major kB, class A, class B>
__device__ __forceinline__ void multiply_steps(float (&sums)[kN / 2], int multiplications, const A& a,
                                               const B& b) {
  constexpr int kMost = Tile::kSteps / Tile::kOneSteps;
  if (multiplications == kMost) {
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < kMost; ++k) wgmma<Tile::kPrecision, kN, kA, kB>(sums, a(k), b(k), true);
    return;
  }
  for (int k = 0; k < multiplications; ++k) {
    wgmma_fence();
    wgmma<Tile::kPrecision, kN, kA, kB>(sums, a(k), b(k), true);
  }
}

/// sums += the slice in the stage at `address`, for the warpgroup's rows. `work`: the units to compute.
template <class Tile>
__device__ __forceinline__ void multiply_slice(float (&sums)[Tile::kSums], unsigned stage, int warpgroup,
                                               unsigned work, int multiplications) {
  const unsigned x = stage + Tile::kWBytes;
  const unsigned w =
      stage + (Tile::kUnitsOnM ? 0 : static_cast<unsigned>(warpgroup) * Tile::kWarpgroupWBytes);
  const auto of_w = [&](int k) {
    if constexpr (Tile::kMajorW == Major::kK)
      return rows_operand<Tile>(w, k);
    else
      return blocks_operand<Tile>(w, k);
  };
  const auto of_x = [&](int unit) {
    return [=](int k) { return rows_operand<Tile>(x + static_cast<unsigned>(unit) * Tile::kUnitBytes, k); };
  };
  if constexpr (Tile::kUnitsOnM) {
    if ((work >> (2 * warpgroup) & 3u) != 0)
      multiply_steps<Tile, Tile::kRows, Major::kK, Tile::kMajorW>(sums, multiplications, of_x(2 * warpgroup),
                                                                  of_w);
  } else {
#pragma unroll
    for (int u = 0; u < Tile::kUnits; ++u) {
      if ((work >> u & 1u) == 0) continue;
      multiply_steps<Tile, kUnitSamples, Tile::kMajorW, Major::kK>(
          *reinterpret_cast<float(*)[kUnitSums]>(sums + kUnitSums * u), multiplications, of_w, of_x(u));
    }
  }
}

/// The units to compute for the warpgroup: none if its rows are after the last.
template <class Tile>
__device__ unsigned work_of(const TensorSlices<Tile>& slices, const TensorWalk& walk, const TileAt& at,
                            int warpgroup) {
  if (!Tile::kUnitsOnM && at.row0 + warpgroup * Tile::kBlockRows >= walk.rows) return 0;
  return slices.mask();
}

}  // namespace umbra
