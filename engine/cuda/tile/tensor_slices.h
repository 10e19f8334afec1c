// The slices of a block's tile: the list of taps that touch data, the walk along a part of it, and the boxes
// of the operands that a slice needs in shared memory (tensor_tile.h).
#pragma once

#include "engine/cuda/tile/tensor_tile.h"

namespace umbra {

/// Writes the list of the taps that touch data for any of the tile's units, in order. All threads must call
/// it, and must synchronise afterwards.
template <class Tile>
__device__ void list_taps(const TensorWalk& walk, const TileAt& at, TensorShared<Tile>& shared) {
  if (walk.pairs) return;
  const TapBox live = walk.map.live();
  const int count = live.count(), t = static_cast<int>(threadIdx.x), units = walk.units();
  TensorTap<Tile> mine{t, 0, {}};
  if (t < count) {
    const Place tap = live.at(t);
#pragma unroll
    for (int u = 0; u < Tile::kUnits; ++u) {
      const int unit = at.unit0 + u;
      mine.from[u] = -1;
      if (unit >= units) continue;
      const int position = walk.position(unit);
      mine.from[u] = walk.adjoint ? walk.map.output_of(walk.map.input_place(position), tap)
                                  : walk.map.input_of(walk.map.output_place(position), tap);
      if (mine.from[u] >= 0) mine.mask |= 1u << u;
    }
    shared.masks[t] = mine.mask;
  }
  __syncthreads();
  int before = 0;
  for (int other = 0; other < (t < count ? t : 0); ++other) before += shared.masks[other] != 0 ? 1 : 0;
  if (t < count && mine.mask != 0) shared.tap[before] = mine;
  if (t == count - 1) shared.taps = before + (mine.mask != 0 ? 1 : 0);
  if (count == 0 && t == 0) shared.taps = 0;
}

/// Walks a part of the tile's slices, one after the other.
template <class Tile>
class TensorSlices {
 public:
  __device__ TensorSlices(const TensorArguments& a, const TileAt& at, const TensorShared<Tile>& shared)
      : walk_(a.walk), shared_(shared), chunks_(ceil_div(a.walk.depth, Tile::kSteps)) {
    int entries = shared.taps;
    if (walk_.pairs) {
      tap_ = walk_.map.live().at(at.result);
      box_ = {walk_.map.d.outputs_of_tap(tap_.d), walk_.map.h.outputs_of_tap(tap_.h),
              walk_.map.w.outputs_of_tap(tap_.w)};
      entries = box_.count();
      const int units = walk_.units() - at.unit0;
      mask_ = units >= Tile::kUnits ? Tile::kAllUnits : (1u << units) - 1;
    }
    const int parts = static_cast<int>(gridDim.y), part = static_cast<int>(blockIdx.y);
    const int all = entries * chunks_, first = first_slice(all, part, parts);
    left_ = first_slice(all, part + 1, parts) - first;
    entry_ = first / chunks_;
    chunk_ = first - entry_ * chunks_;
  }
  __device__ bool more() const { return left_ > 0; }
  __device__ void next() {
    --left_;
    if (++chunk_ < chunks_) return;
    chunk_ = 0;
    ++entry_;
  }
  __device__ int first_step() const { return chunk_ * Tile::kSteps; }
  /// The number of wgmma instructions for the slice's steps.
  __device__ int multiplications() const {
    const int left = walk_.depth - first_step();
    return ((left < Tile::kSteps ? left : Tile::kSteps) + Tile::kOneSteps - 1) / Tile::kOneSteps;
  }
  /// Units for which the slice touches data.
  __device__ unsigned mask() const { return walk_.pairs ? mask_ : shared_.tap[entry_].mask; }
  /// The number of W's matrix and of the unit's in the packed operands; -1: none, zeros.
  __device__ int outer_w() const {
    return walk_.pairs ? number_of(pair(), walk_.map.h.out, walk_.map.w.out) : shared_.tap[entry_].tap;
  }
  __device__ int outer_x(int unit) const {
    return walk_.pairs ? walk_.map.input_of(pair(), tap_) : shared_.tap[entry_].from[unit];
  }

 private:
  static __device__ int number_of(const Place& p, int height, int width) {
    return (p.d * height + p.h) * width + p.w;
  }
  __device__ Place pair() const { return box_.at(entry_); }

  const TensorWalk& walk_;
  const TensorShared<Tile>& shared_;
  const int chunks_;
  Place tap_{};
  Box box_{};
  unsigned mask_ = 0;
  int left_, entry_, chunk_;
};

/// Units whose operands a slice needs in shared memory: with units on M, two units are multiplied at once.
template <class Tile>
__device__ unsigned units_needed(unsigned mask) {
  if constexpr (!Tile::kUnitsOnM) return mask;
  const unsigned even = mask & 0x55555555u, odd = mask & 0xaaaaaaaau;
  return mask | even << 1 | odd >> 1;
}
__device__ constexpr int bits_set(unsigned set) {
  int count = 0;
  for (; set != 0; set &= set - 1) ++count;
  return count;
}

/// Calls body(offset in the stage, whether the box is W's, c0, c1, c2) for every box of the slice.
template <class Tile, class Body>
__device__ void for_each_box(const TensorSlices<Tile>& slices, const TensorWalk& walk, const TileAt& at,
                             const Body& body) {
  const int step = slices.first_step(), w = slices.outer_w();
  if constexpr (Tile::kMajorW == Major::kK) {
    body(0, true, step, at.row0, w);
  } else {
#pragma unroll
    for (int b = 0; b < Tile::kBlocks; ++b)
      body(b * Tile::kBlockBytes, true, at.row0 + b * Tile::kBlockRows, step, w);
  }
  const unsigned needed = units_needed<Tile>(slices.mask());
#pragma unroll
  for (int u = 0; u < Tile::kUnits; ++u) {
    if ((needed >> u & 1u) == 0) continue;
    body(Tile::kWBytes + u * Tile::kUnitBytes, false, step, (at.unit0 + u) % walk.blocks * kUnitSamples,
         slices.outer_x(u));
  }
}

/// Starts the copies of a slice into a stage; the barrier then expects this one arrival and the bytes.
template <class Tile>
__device__ void fetch_slice(unsigned char* stage, Barrier& full, const TensorMap& w, const TensorMap& x,
                            const TensorSlices<Tile>& slices, const TensorWalk& walk, const TileAt& at) {
  const int units = bits_set(units_needed<Tile>(slices.mask()));
  barrier_arrive_expect(full, static_cast<unsigned>(Tile::kWBytes + units * Tile::kUnitBytes));
  for_each_box<Tile>(slices, walk, at, [&](int where, bool of_w, int c0, int c1, int c2) {
    tma_load(stage + where, of_w ? w : x, full, c0, c1, c2);
  });
}

}  // namespace umbra
