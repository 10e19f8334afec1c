// The multiplication of a slice by a warpgroup, directly from shared memory (tensor_tile.h).
#pragma once

#include "engine/cuda/tile/tensor_slices.h"
#include "wgmma.h"

namespace umbra {

/// The descriptors of a slice's first multiplication by a warpgroup. Those of the others are a number of bytes
/// further, so that a slice costs a few additions.
struct SliceOperands {
  std::uint64_t w, x;
};
constexpr std::uint64_t further(std::uint64_t descriptor, int bytes) {
  return descriptor + static_cast<unsigned>(bytes >> 4);
}

/// Of the slice in the stage at `address`.
template <class Tile>
__device__ SliceOperands operands_of(unsigned address, int warpgroup) {
  constexpr unsigned kIgnored = 16, kEightRows = 8 * Tile::kRowBytes, kEightSteps = 8 * 128;
  const auto at = static_cast<unsigned>(warpgroup);
  const unsigned w = address + (Tile::kUnitsOnM ? 0 : at * Tile::kWarpgroupWBytes);
  const unsigned x = address + Tile::kWBytes + (Tile::kUnitsOnM ? 2 * at * Tile::kUnitBytes : 0);
  return {Tile::kMajorW == Major::kK ? wgmma_descriptor(w, kIgnored, kEightRows, Tile::kSwizzle)
                                     : wgmma_descriptor(w, Tile::kBlockBytes, kEightSteps, Swizzle::k128),
          wgmma_descriptor(x, kIgnored, kEightRows, Tile::kSwizzle)};
}
/// Of the slice in another stage, from those of the first.
template <class Tile>
__device__ SliceOperands operands_of(const SliceOperands& first, int stage) {
  return {further(first.w, stage * Tile::kStageBytes), further(first.x, stage * Tile::kStageBytes)};
}

/// sums += the products of operands whose descriptors begin with `a` and `b`, and commits them. The commit is
/// in the branch of its wgmmas: after the branches meet, ptxas would add an empty wgmma to carry it and wait
/// for all of them. There must be no branch between a fence and its wgmma either, or ptxas makes all of them
/// wait for one another (C7520).
template <class Tile, int kN, Major kA, Major kB>
__device__ __forceinline__ void multiply_steps(float (&sums)[kN / 2], int multiplications, std::uint64_t a,
                                               std::uint64_t b) {
  constexpr int kMost = Tile::kSteps / Tile::kOneSteps;
  constexpr int kRow = 32, kSixteenSteps = 2 * 8 * 128;  // bytes to the next multiplication
  constexpr int kToA = kA == Major::kK ? kRow : kSixteenSteps, kToB = kB == Major::kK ? kRow : kSixteenSteps;
  if (multiplications == kMost) {
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < kMost; ++k)
      wgmma<Tile::kPrecision, kN, kA, kB>(sums, further(a, k * kToA), further(b, k * kToB), true);
    wgmma_commit();
    return;
  }
  for (int k = 0; k < multiplications; ++k) {
    wgmma_fence();
    wgmma<Tile::kPrecision, kN, kA, kB>(sums, further(a, k * kToA), further(b, k * kToB), true);
    wgmma_commit();
  }
}

/// sums += the slice of these operands, for the warpgroup's rows. `work`: the units to compute. Afterwards
/// wgmma_wait<1>() waits for all earlier slices: this one is at least one group of its own, or, without work,
/// has waited for them here.
template <class Tile>
__device__ __forceinline__ void multiply_slice(float (&sums)[Tile::kSums], const SliceOperands& operands,
                                               int warpgroup, unsigned work, int multiplications) {
  if constexpr (Tile::kUnitsOnM) {
    if ((work >> (2 * warpgroup) & 3u) != 0)
      multiply_steps<Tile, Tile::kRows, Major::kK, Tile::kMajorW>(sums, multiplications, operands.x,
                                                                  operands.w);
    else
      wgmma_wait<0>();
  } else {
    // A listed tap has work for some unit, so a warpgroup without work has none in any slice.
#pragma unroll
    for (int u = 0; u < Tile::kUnits; ++u) {
      if ((work >> u & 1u) == 0) continue;
      multiply_steps<Tile, kUnitSamples, Tile::kMajorW, Major::kK>(
          *reinterpret_cast<float(*)[kUnitSums]>(sums + kUnitSums * u), multiplications, operands.w,
          further(operands.x, u * Tile::kUnitBytes));
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
