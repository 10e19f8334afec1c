// The gradient with respect to the weights as one matrix product in tiles: rows are (live tap, input
// channel), columns output channels, and the sum runs over (output position, sample) in slices of 16 (BF16:
// 32), which are adjacent in both operands:
//
//   result          A [row, step]    B [step, column]
//   dw [t][c][k]    x [i][c][n]      dy [o][k][n]        where tap t couples output o with input i
//
// A tile sums over a box of output positions: those that its taps touch. With many input channels it has
// one tap or two, and no pair is computed needlessly; with few, it has many taps, whose rows are zero where
// they read padding. Every thread loads one step (o, n) of some rows, so it computes o when its position
// changes, and an input position is a sum of two offsets.
//
// There is no big tile: a thread would keep 8 rows' taps and offsets (BF16: 16) in addition to its 64 sums.
//
// Large volumes have few tiles and long sums, which are divided into parts that a second kernel adds in
// order.
#pragma once

#include "engine/cuda/tile/gemm_tile.h"
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/conv/cuda_conv_map.h"

namespace umbra {

template <class Shape>
class WgradSlices {
 public:
  using ElementA = float;
  using ElementB = float;
  using MapA = MapOf<Shape, Shape::kRows, true>;
  using MapB = MapOf<Shape, Shape::kColumns, true>;

  __device__ WgradSlices(const ConvMap& map, const float* x, const float* dy, int row, int column, int part,
                         int parts)
      : map_(map), x_(x), dy_(dy), column_(column) {
    const int C = map.in_channels, N = map.batch, rows = map.live().count() * C;
#pragma unroll
    for (int j = 0; j < Shape::kLoadsOfA; ++j) {
      const int r = row + MapA::lane(j);
      taps_[j] = -1;
      offsets_[j] = 0;
      if (r >= rows) continue;
      const Place t = map.live().at(r / C);
      taps_[j] = t.d | t.h << 8 | t.w << 16;
      offsets_[j] = static_cast<unsigned>((((t.d * map.h.in + t.h) * map.w.in + t.w) * C + r % C) * N);
    }
    const int last = (row + Shape::kRows < rows ? row + Shape::kRows : rows) - 1;
    box_ = map.outputs_of_taps(map.live().at(row / C), map.live().at(last / C));
    warp_useful_ = row + Shape::warp_row() < rows && column + Shape::warp_column() < map.out_channels;
    terms_ = box_.count() * N;
    const int slices = ceil_div(terms_, Shape::kSteps), first = first_slice(slices, part, parts);
    left_ = first_slice(slices, part + 1, parts) - first;
    start_ = (first - 1) * Shape::kSteps;
    sample_ = N;  // of the next step; the first one needs its position
  }

  __device__ bool next() {
    if (left_ == 0) return false;
    --left_;
    start_ += Shape::kSteps;
    sample_ += Shape::kSteps;
    if (sample_ >= map_.batch) enter_position();
    return true;
  }
  __device__ int steps() const {
    return terms_ - start_ < Shape::kSteps ? terms_ - start_ : Shape::kSteps;
  }
  __device__ bool useful() const {
    return warp_useful_;
  }
  __device__ void load(float (&a)[Shape::kLoadsOfA], float (&b)[Shape::kLoadsOfB]) const {
    const int K = map_.out_channels, N = map_.batch;
    const bool inside = start_ + MapA::step(0) < terms_;
    const unsigned sample = static_cast<unsigned>(sample_), touched = inside ? touched_ : 0;
#pragma unroll
    for (int j = 0; j < Shape::kLoadsOfA; ++j) {
      a[j] = (touched >> j & 1u) != 0 ? x_[at_x_ + sample + offsets_[j]] : 0.0f;
    }
    const int column = column_ + MapB::lane(0);
    load_lanes<MapB>(b, dy_, at_dy_ + sample + static_cast<unsigned>(column) * static_cast<unsigned>(N),
                     K - column, inside ? 1 : 0, N, 1);
  }

 private:
  static __device__ bool within(int i, int extent) {
    return i >= 0 && i < extent;
  }
  __device__ void enter_position() {
    const int term = start_ + MapA::step(0), index = term / map_.batch, C = map_.in_channels, N = map_.batch;
    if (term >= terms_) return;
    sample_ = term - index * N;
    const Place o = box_.at(index);
    // The input that tap 0 couples with o; it may be outside.
    const Place i{o.d * map_.d.stride - map_.d.padding, o.h * map_.h.stride - map_.h.padding,
                  o.w * map_.w.stride - map_.w.padding};
    at_x_ = static_cast<unsigned>(((i.d * map_.h.in + i.h) * map_.w.in + i.w) * C * N);
    at_dy_ = static_cast<unsigned>(((o.d * map_.h.out + o.h) * map_.w.out + o.w) * map_.out_channels * N);
    touched_ = 0;
#pragma unroll
    for (int j = 0; j < Shape::kLoadsOfA; ++j) {
      const int tap = taps_[j];
      const bool touches = tap >= 0 && within(i.d + (tap & 255), map_.d.in) &&
                           within(i.h + (tap >> 8 & 255), map_.h.in) && within(i.w + (tap >> 16), map_.w.in);
      touched_ |= touches ? 1u << j : 0;
    }
  }

  const ConvMap& map_;
  const float *x_, *dy_;
  int column_;
  int taps_[Shape::kLoadsOfA];          // of the rows that this thread loads; negative: there is no such row
  unsigned offsets_[Shape::kLoadsOfA];  // of their inputs from that of tap 0 and channel 0
  unsigned touched_ = 0;                // bit j: row j's tap touches data at the position
  bool warp_useful_;
  Box box_;
  int terms_, left_;               // of the sum; slices after this one
  int start_;                      // the slice's first term
  int sample_;                     // of this thread's step
  unsigned at_x_ = 0, at_dy_ = 0;  // of its position
};

template <class Shape>
using WgradShared =
    typename Shape::template Slices<typename WgradSlices<Shape>::MapA, typename WgradSlices<Shape>::MapB>;

// With 16 numbers being loaded, their rows' taps and offsets leave no registers for a second block.
template <class Shape>
inline constexpr int kWgradBlocksOfSm = Shape::kLoadsOfA + Shape::kLoadsOfB > 16 ? 1 : Shape::kBlocksOfSm;

struct WgradResult {
  float* dw;
  __device__ void put(int i, float sum) const { dw[i] = sum; }
};

// parts: [gridDim.y][t][c][k], if gridDim.y is more than 1. `fours`: rows of dw and of parts start at
// multiples of 16 bytes.
template <class Shape>
__global__ void __launch_bounds__(kTileThreads, kWgradBlocksOfSm<Shape>)
    wgrad_tile(ConvMap map, const float* x, const float* dy, float* dw, float* parts, int row_tiles,
               bool fours) {
  using Shared = WgradShared<Shape>;
  Shared& shared = shared_memory<Shared>();
  const int rows = map.live().count() * map.in_channels, columns = map.out_channels;
  const int tile = static_cast<int>(blockIdx.x), part = static_cast<int>(blockIdx.y);
  const int row0 = tile % row_tiles * Shape::kRows, column0 = tile / row_tiles * Shape::kColumns;
  typename Shape::Sums sums = {};
  WgradSlices<Shape> slices(map, x, dy, row0, column0, part, static_cast<int>(gridDim.y));
  add_slices<Shape>(sums, shared, slices);
  float* to = gridDim.y == 1 ? dw : parts + static_cast<std::int64_t>(part) * rows * columns;
  Shape::for_each_four(sums, [&](int r, int c, const float4& four) {
    const int row = row0 + r, column = column0 + c;
    if (row < rows && column < columns)
      store_four(to + (row * columns + column), four, columns - column, fours);
  });
}

/// How the tiles are divided, in slices of `steps` steps.
inline TilePlan plan_wgrad(const ConvGeometry& g, int steps) {
  const std::int64_t taps = g.live_taps();
  if (taps == 0) return {Tile::kSmall, 0, 0, 1};
  const std::int64_t of_tap = g.in_channels >= kTileSteps ? ceil_div(g.live_pairs(), taps) : g.out_volume();
  return plan_tiles(taps * g.in_channels, g.out_channels, ceil_div(of_tap * g.batch, steps), false);
}

inline std::size_t wgrad_workspace(const ConvGeometry& g, int steps) {
  return bytes_of_parts(plan_wgrad(g, steps), g.live_taps() * g.in_channels * g.out_channels);
}

/// Starts wgrad; `workspace` has wgrad_workspace() bytes.
template <class Multiplier>
void launch_wgrad(const ConvGeometry& g, const float* x, const float* dy, float* dw, void* workspace,
                  void* stream) {
  const TilePlan plan = plan_wgrad(g, Multiplier::kSteps);
  const bool fours = g.out_channels % 4 == 0 && aligned_to_16(dw);
  with_tile_shape<Multiplier, false>(plan.tile, [&](auto shape) {
    using Shape = decltype(shape);
    launch(wgrad_tile<Shape>, grid_of_tiles(plan, sizeof(WgradShared<Shape>)), stream, conv_map(g), x, dy, dw,
           static_cast<float*>(workspace), plan.row_tiles, fours);
  });
  launch_add_parts(plan, workspace, g.live_taps() * g.in_channels * g.out_channels, WgradResult{dw}, stream);
}

}  // namespace umbra
