// The sums of a tile: which elements of the result a thread holds, and the epilogue that stores them
// (tensor_tile.h).
#pragma once

#include "engine/cuda/tile/tensor_tile.h"

namespace umbra {

/// Loads the factors and shifts of the tile's rows. All threads must call it, and must synchronise
/// afterwards.
template <class Tile>
__device__ void load_scales(const TensorArguments& a, const TileAt& at, TensorShared<Tile>& shared) {
  if (!a.epilogue.scales_rows()) return;
  for (int r = static_cast<int>(threadIdx.x); r < Tile::kRows; r += static_cast<int>(blockDim.x)) {
    if (at.row0 + r < a.walk.rows) shared.scales[r] = a.epilogue.scales(at.row0 + r);
  }
}

/// Calls body(k, i, r, apart, second, rows_apart) for every pair of the thread's neighbouring sums k and k +
/// 1 whose first is in the result: as element i, in row r of the tile. The second sum is element i + apart,
/// rows_apart rows further, if `second`.
template <class Tile, class Body>
__device__ __forceinline__ void for_each_two(const TensorArguments& a, const TileAt& at, int thread,
                                             const Body& body) {
  const TensorWalk& walk = a.walk;
  const int warpgroup = thread / kWarpgroup;
  const auto start_of = [&](int unit) {  // element of row 0 and sample 0
    return (walk.pairs ? at.result : walk.position(unit)) * a.epilogue.outer_pitch;
  };
  if constexpr (Tile::kUnitsOnM) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {  // rows g and g + 8 of the fragment
      const int row = wgmma_d_place(thread % kWarpgroup, 2 * half).row;
      const int unit = at.unit0 + 2 * warpgroup + row / kUnitSamples;
      if (unit >= walk.units()) continue;
      const int s = first_sample(walk, unit) + row % kUnitSamples;
      if (s >= walk.samples) continue;
      const int first = start_of(unit) + s * a.epilogue.sample_pitch;
#pragma unroll
      for (int i = 2 * half; i < Tile::kSums; i += 4) {
        const int r = wgmma_d_place(thread % kWarpgroup, i).column, j = at.row0 + r;
        if (j < walk.rows)
          body(i, first + j * a.epilogue.row_pitch, r, a.epilogue.row_pitch, j + 1 < walk.rows, 1);
      }
    }
  } else {
#pragma unroll
    for (int u = 0; u < Tile::kUnits; ++u) {
      const int unit = at.unit0 + u;
      if (unit >= walk.units()) break;
      const int sample0 = first_sample(walk, unit), start = start_of(unit);
#pragma unroll
      for (int k = 0; k < kUnitSums; k += 2) {
        const Place2 place = wgmma_d_place(thread % kWarpgroup, k);
        const int r = warpgroup * Tile::kBlockRows + place.row, j = at.row0 + r, s = sample0 + place.column;
        if (j >= walk.rows || s >= walk.samples) continue;
        body(u * kUnitSums + k, start + j * a.epilogue.row_pitch + s * a.epilogue.sample_pitch, r,
             a.epilogue.sample_pitch, s + 1 < walk.samples, 0);
      }
    }
  }
}

/// Stores two neighbouring sums: in the result after the epilogue, or unchanged in `parts`.
template <class Tile>
__device__ __forceinline__ void put_two(const TensorArguments& a, const TensorShared<Tile>& shared,
                                        float* parts, float one, float two, int i, int r, int apart,
                                        bool second, int rows_apart) {
  float* to = parts;
  if (parts == nullptr) {
    to = a.epilogue.result;
    const bool scaled = a.epilogue.scales_rows();
    const auto value = [&](float sum, int row, int at) {
      return a.epilogue.value(sum, scaled ? shared.scales[row] : a.epilogue.no_scales(), at);
    };
    one = value(one, r, i);
    if (second) two = value(two, r + rows_apart, i + apart);
  }
  if (a.twos && apart == 1 && second) {
    *reinterpret_cast<float2*>(to + i) = make_float2(one, two);
    return;
  }
  to[i] = one;
  if (second) to[i + apart] = two;
}

/// Stores the sums of a multiplying thread: the result, or this block's part of it.
template <class Tile>
__device__ __forceinline__ void store_sums(const TensorArguments& a, const TileAt& at,
                                           const TensorShared<Tile>& shared,
                                           const float (&sums)[Tile::kSums]) {
  float* const parts = a.parts == nullptr ? nullptr : a.parts + at.part * a.outputs;
  for_each_two<Tile>(a, at, static_cast<int>(threadIdx.x),
                     [&](int k, int i, int r, int apart, bool second, int rows_apart) {
                       put_two<Tile>(a, shared, parts, sums[k], sums[k + 1], i, r, apart, second, rows_apart);
                     });
}

}  // namespace umbra
