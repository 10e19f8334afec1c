// The slices of a block's tile: the list of taps that touch data, the walk along a part of it, and the boxes
// of the operands that a slice needs in shared memory (tensor_tile.h).
#pragma once

#include "engine/cuda/tile/tensor_tile.h"

namespace umbra {

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

/// The pairs of positions that the tap of a result couples.
__device__ inline Box pairs_of(const WindowMap& map, const Place& tap) {
  return {map.d.outputs_of_tap(tap.d), map.h.outputs_of_tap(tap.h), map.w.outputs_of_tap(tap.w)};
}

/// The clocks of all slices of a tile are not more than these.
template <class Tile>
inline constexpr std::int64_t kMostClocks =
    (kMostTensorTerms / Tile::kSteps + kMostTensorTaps) * slice_clocks<Tile>(Tile::kAllUnits);

/// Writes where the block's part of the tile's slices begins and ends, and the list of the taps that touch data
/// for any of the tile's units, in order. All threads must call it, and must synchronise afterwards.
template <class Tile>
__device__ void list_taps(const TensorWalk& walk, const TileAt& at, TensorShared<Tile>& shared) {
  const TapBox live = walk.map.live();
  const int chunks = ceil_div(walk.depth, Tile::kSteps), t = static_cast<int>(threadIdx.x);
  if (is_of_pairs<Tile>(walk)) {  // one entry, whose place moves from pair to pair
    if (t > 0) return;
    const int here = walk.units() - at.unit0;
    const unsigned mask = here >= Tile::kUnits ? Tile::kAllUnits : (1u << here) - 1;
    const auto bytes = static_cast<unsigned>(Tile::kWBytes + units_of_box<Tile>(walk) * Tile::kUnitBytes);
    shared.tap[0] = {{}, 0, mask, 1, bytes};
    const int all = pairs_of(walk.map, live.at(at.result)).count() * chunks;
    shared.first_slice = first_slice(all, at.part, at.parts);
    shared.end_slice = first_slice(all, at.part + 1, at.parts);
    return;
  }
  const int count = live.count(), units = walk.units();
  TensorTap<Tile> mine{};
  mine.tap = t;
  if (t < count) {
    const Place tap = live.at(t);
#pragma unroll
    for (int u = 0; u < Tile::kUnits; ++u) {
      const int unit = at.unit0 + u;
      mine.row[u] = kNoRow;
      if (unit >= units) continue;
      const int position = walk.position(unit);
      const int from = walk.adjoint ? walk.map.output_of(walk.map.input_place(position), tap)
                                    : walk.map.input_of(walk.map.output_place(position), tap);
      if (from < 0) continue;
      mine.row[u] = from * walk.samples + first_sample(walk, unit);
      mine.mask |= 1u << u;
    }
    const bool one = x_is_one_box<Tile>(walk);
    mine.boxes = one ? 1 : units_needed<Tile>(mine.mask);
    mine.bytes = Tile::kWBytes + Tile::kUnitBytes * units_of_box<Tile>(walk) * bits_set(mine.boxes);
    shared.clocks[t] = mine.mask == 0 ? 0 : slice_clocks<Tile>(mine.mask);
  }
  if (t == 0) shared.first_slice = shared.end_slice = 0;
  __syncthreads();
  if (t >= count || mine.mask == 0) return;
  const int clocks = shared.clocks[t];
  int entry = 0;
  static_assert(kMostClocks<Tile> < std::int64_t{1} << 31);
  int before = 0, all = 0;  // clocks
  for (int other = 0; other < count; ++other) {
    const int theirs = shared.clocks[other] * chunks;
    all += theirs;
    if (other >= t || theirs == 0) continue;
    before += theirs;
    ++entry;
  }
  shared.tap[entry] = mine;
  const auto write_if_here = [&](int part, int& slice) {
    const int end = end_of_part(all, part, at.parts);
    if (ends_in_entry(end, before, clocks, chunks))
      slice = entry * chunks + chunks_until(end, before, clocks);
  };
  write_if_here(at.part, shared.first_slice);
  write_if_here(at.part + 1, shared.end_slice);
}

/// The pairs of positions that a tap couples, one after the other. Only the first one is found by division; the
/// next costs a few additions, and no branch.
class TensorPairs {
 public:
  /// Begins at the pair with that number of those of a result's tap; `sample` is the first sample of X.
  __device__ void start(const TensorWalk& walk, int result, int pair, int sample) {
    const WindowMap& map = walk.map;
    const Place tap = map.live().at(result);
    const Box box = pairs_of(map, tap);
    const Place at = box.at(pair);
    wide_ = box.w.count() - 1;
    high_ = box.h.count() - 1;
    after_w_ = box.w.last - at.w;
    after_h_ = box.h.last - at.h;
    output_ = (at.d * map.h.out + at.h) * map.w.out + at.w;
    row_ = map.input_of(at, tap) * walk.samples + sample;
    output_to_row_ = map.w.out - wide_;
    output_to_plane_ = output_to_row_ + (map.h.out - high_ - 1) * map.w.out;
    row_to_next_ = map.w.stride * walk.samples;
    row_to_row_ = (map.h.stride * map.w.in - map.w.stride * wide_) * walk.samples;
    row_to_plane_ =
        row_to_row_ + (map.d.stride * map.h.in - map.h.stride * (high_ + 1)) * map.w.in * walk.samples;
  }
  /// Moves to the next pair if `on`.
  __device__ void next(bool on) {
    const bool row_ends = on && after_w_ == 0, plane_ends = row_ends && after_h_ == 0;
    output_ += plane_ends ? output_to_plane_ : row_ends ? output_to_row_ : on ? 1 : 0;
    row_ += plane_ends ? row_to_plane_ : row_ends ? row_to_row_ : on ? row_to_next_ : 0;
    after_h_ = plane_ends ? high_ : row_ends ? after_h_ - 1 : after_h_;
    after_w_ = row_ends ? wide_ : on ? after_w_ - 1 : after_w_;
  }
  /// The number of the output, W's matrix.
  __device__ int output() const { return output_; }
  /// The first row of the input, in X.
  __device__ int row() const { return row_; }

 private:
  int wide_ = 0, high_ = 0;        // of a row and of a plane of pairs: the steps from its first to its last
  int after_w_ = 0, after_h_ = 0;  // the steps that are left
  int output_ = 0, row_ = 0;
  // What a step adds to them: to the next pair, or to the first one of the next row or plane.
  int output_to_row_ = 0, output_to_plane_ = 0, row_to_next_ = 0, row_to_row_ = 0, row_to_plane_ = 0;
};

/// Walks a part of the tile's slices, one after the other.
template <class Tile>
class TensorSlices {
 public:
  __device__ TensorSlices(const TensorArguments& a, const TileAt& at, const TensorShared<Tile>& shared)
      : walk_(a.walk), shared_(shared), chunks_(ceil_div(a.walk.depth, Tile::kSteps)) {
    const int first = shared.first_slice;
    left_ = shared.end_slice - first;
    entry_ = first / chunks_;
    chunk_ = first - entry_ * chunks_;
    last_multiplications_ = ceil_div(walk_.depth - (chunks_ - 1) * Tile::kSteps, Tile::kOneSteps);
    if (!of_pairs()) return;
    pairs_.start(walk_, at.result, entry_, at.unit0 * kUnitSamples);
    of_pairs_ = shared.tap[0];
    if constexpr (Tile::kOnlyPairs) of_pairs_.bytes = Tile::kStageBytes;  // a constant for the compiler
  }
  __device__ bool more() const { return left_ > 0; }
  __device__ void next() {
    --left_;
    const bool on = ++chunk_ == chunks_;
    chunk_ = on ? 0 : chunk_;
    if (of_pairs())
      pairs_.next(on);
    else
      entry_ += on ? 1 : 0;
  }
  __device__ int first_step() const { return chunk_ * Tile::kSteps; }
  /// The number of wgmma instructions for the slice's steps.
  __device__ int multiplications() const {
    return chunk_ == chunks_ - 1 ? last_multiplications_ : Tile::kSteps / Tile::kOneSteps;
  }
  /// Units for which the slice touches data.
  __device__ unsigned mask() const { return of_pairs() ? of_pairs_.mask : shared_.tap[entry_].mask; }
  /// What it copies and multiplies.
  __device__ TensorTap<Tile> entry() const {
    if (!of_pairs()) return shared_.tap[entry_];
    TensorTap<Tile> entry = of_pairs_;
    entry.row[0] = pairs_.row();
    entry.tap = pairs_.output();
    return entry;
  }

 private:
  __device__ bool of_pairs() const { return is_of_pairs<Tile>(walk_); }

  const TensorWalk& walk_;
  const TensorShared<Tile>& shared_;
  const int chunks_;  // slices of an entry
  TensorPairs pairs_;
  TensorTap<Tile> of_pairs_{};
  int left_, entry_, chunk_, last_multiplications_;
};

/// Calls body(offset in the stage, whether the box is W's, c0, c1, c2) for every box of a slice that begins at
/// that step.
template <class Tile, class Body>
__device__ __forceinline__ void for_each_box(const TensorTap<Tile>& entry, int step, const TileAt& at,
                                             const Body& body) {
  if constexpr (Tile::kMajorW == Major::kK) {
    body(0, true, step, at.row0, entry.tap);
  } else {
#pragma unroll
    for (int b = 0; b < Tile::kBlocks; ++b)
      body(b * Tile::kBlockBytes, true, at.row0 + b * Tile::kBlockRows, step, entry.tap);
  }
  const auto of_x = [&](int u) { body(Tile::kWBytes + u * Tile::kUnitBytes, false, step, entry.row[u], 0); };
  if constexpr (Tile::kOnlyPairs || Tile::kUnits == 1) return of_x(0);
  if (entry.boxes == Tile::kAllUnits) {  // without a branch for each
#pragma unroll
    for (int u = 0; u < Tile::kUnits; ++u) of_x(u);
    return;
  }
#pragma unroll
  for (int u = 0; u < Tile::kUnits; ++u) {
    if ((entry.boxes >> u & 1u) != 0) of_x(u);
  }
}

/// Starts the copies of a slice into a stage; the barrier then expects this one arrival and the bytes.
template <class Tile>
__device__ __forceinline__ void fetch_slice(unsigned char* stage, Barrier& full, const TensorMap& w,
                                            const TensorMap& x, const TensorTap<Tile>& entry, int step,
                                            const TileAt& at) {
  barrier_arrive_expect(full, entry.bytes);
  for_each_box<Tile>(entry, step, at, [&](int where, bool of_w, int c0, int c1, int c2) {
    tma_load(stage + where, of_w ? w : x, full, c0, c1, c2);
  });
}

}  // namespace umbra
