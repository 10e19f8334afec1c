// Convolution forward and its gradient with respect to the input, in fp32 or on tensor cores, as one matrix
// product whose second operand is gathered while it is loaded (implicit GEMM). Rows are the channels of the
// result, columns its (position, sample) pairs, samples fastest, and the sum runs over (live tap, channel
// of the other side) in slices of 16 channels (BF16: 32):
//
//   pass    result [position][row][n]   A [row, step]                  B [step, column]
//   fprop   y  [o][k][n]                w [t][c][k], k side by side    x  [i][c][n]
//   dgrad   dx [i][c][n]                w [t][c][k], k side by side    dy [o][k][n]
//
// where tap t couples output o with input i. A tile's positions are a run in row-major order. The block's
// list contains the taps that touch data for any place in the box around them (WindowMap::taps_of_outputs).
// Columns for which a tap reads padding are zeros, and a warp whose columns are all of one position skips
// those products. Every thread loads one column only, so it finds that column's partner position once per
// tap.
//
// Where the result has few tiles, the list is divided into parts of equal length, whose sums go to the
// workspace and are added in order by a second kernel (tile_plan.h decides). The caller's Epilogue
// determines what is done with a sum.
#pragma once

#include "engine/cuda/tile/gemm_tile.h"
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/conv/cuda_conv_map.h"
#include "engine/ops/conv/cuda_epilogue.h"

namespace umbra {

template <class Shape, bool kDgrad, class Weight>
class ConvSlices {
 public:
  using ElementA = Weight;
  using ElementB = float;
  using MapA = MapOf<Shape, Shape::kRows, kDgrad>;
  using MapB = MapOf<Shape, Shape::kColumns, false>;

  __device__ ConvSlices(const ConvMap& map, const Weight* weights, const float* from, int row, int column,
                        int part, int parts)
      : map_(map),
        weights_(weights),
        from_(from),
        row_(row + MapA::lane(0)),
        rows_(kDgrad ? map.in_channels : map.out_channels),
        depth_(kDgrad ? map.out_channels : map.in_channels) {
    const int N = map.batch, columns = (kDgrad ? map.inputs() : map.outputs()) * N;
    const int mine = column + MapB::lane(0), of_warp = column + Shape::warp_column();
    const int last = (column + Shape::kColumns < columns ? column + Shape::kColumns : columns) - 1;
    const int last_of_warp =
        of_warp + Shape::kColumnsOfWarp - 1 < last ? of_warp + Shape::kColumnsOfWarp - 1 : last;
    sample_ = mine < columns ? mine % N : -1;
    place_ = place(mine < columns ? mine / N : 0);
    warp_place_ = place(of_warp <= last ? of_warp / N : 0);
    warp_idle_ = of_warp > last || row + Shape::warp_row() >= rows_;
    warp_of_one_ = of_warp / N == last_of_warp / N;

    taps_ = taps_between(place(column / N), place(last / N));
    const int chunks = ceil_div(depth_, Shape::kSteps), all = taps_.count() * chunks;
    const int first = first_slice(all, part, parts);
    left_ = first_slice(all, part + 1, parts) - first;
    if (left_ == 0) return;
    tap_ = taps_.at(first / chunks);
    channel_ = (first % chunks - 1) * Shape::kSteps;
    enter_tap();
  }

  __device__ bool next() {
    if (left_ == 0) return false;
    --left_;
    channel_ += Shape::kSteps;
    if (channel_ < depth_) return true;
    channel_ = 0;
    tap_ = taps_.after(tap_);
    enter_tap();
    return true;
  }
  __device__ int steps() const {
    return depth_ - channel_ < Shape::kSteps ? depth_ - channel_ : Shape::kSteps;
  }
  __device__ bool useful() const { return warp_useful_; }
  __device__ void load(Weight (&a)[Shape::kLoadsOfA], float (&b)[Shape::kLoadsOfB]) const {
    const int K = map_.out_channels, N = map_.batch;
    const unsigned channel = static_cast<unsigned>(channel_);
    load_lanes<MapA>(a, weights_, at_weights_ + channel * (kDgrad ? 1u : static_cast<unsigned>(K)),
                     rows_ - row_, depth_ - channel_ - MapA::step(0), kDgrad ? K : 1, kDgrad ? 1 : K);
    load_lanes<MapB>(b, from_, at_from_ + channel * static_cast<unsigned>(N), pads_ ? 0 : 1,
                     depth_ - channel_ - MapB::step(0), 1, N);
  }

 private:
  __device__ Place place(int index) const {
    return kDgrad ? map_.input_place(index) : map_.output_place(index);
  }
  __device__ int partner(Place of) const {
    return kDgrad ? map_.output_of(of, tap_) : map_.input_of(of, tap_);
  }
  __device__ TapBox taps_between(Place first, Place last) const {
    if constexpr (kDgrad) return map_.taps_of_inputs(box_around(first, last, map_.h.in, map_.w.in));
    return map_.taps_of_outputs(box_around(first, last, map_.h.out, map_.w.out));
  }
  __device__ void enter_tap() {
    const int with = sample_ < 0 ? -1 : partner(place_), C = map_.in_channels, K = map_.out_channels;
    pads_ = with < 0;
    at_from_ =
        (static_cast<unsigned>(with) * static_cast<unsigned>(depth_) + static_cast<unsigned>(MapB::step(0))) *
            static_cast<unsigned>(map_.batch) +
        static_cast<unsigned>(sample_);
    at_weights_ = static_cast<unsigned>(map_.slot_of(tap_) * C * K) +
                  static_cast<unsigned>(row_) * static_cast<unsigned>(kDgrad ? K : 1) +
                  static_cast<unsigned>(MapA::step(0)) * static_cast<unsigned>(kDgrad ? 1 : K);
    warp_useful_ = !warp_idle_ && (!warp_of_one_ || partner(warp_place_) >= 0);
  }

  const ConvMap& map_;
  const Weight* weights_;
  const float* from_;
  int row_, rows_, depth_;  // row_: the first that this thread loads
  int sample_;              // of the column that this thread loads; -1: there is no such column
  Place place_;             // its position
  Place warp_place_;
  bool warp_idle_, warp_of_one_, warp_useful_ = false;
  TapBox taps_;
  Place tap_;
  int channel_ = 0, left_;                 // slices after this one
  bool pads_ = true;                       // the tap reads padding for the column
  unsigned at_weights_ = 0, at_from_ = 0;  // of the thread's first loads at channel 0
};

template <class Shape, bool kDgrad>
struct ConvShared {
  using Slices = ConvSlices<Shape, kDgrad, float>;  // its maps are the same for every type of weights
  typename Shape::template Slices<typename Slices::MapA, typename Slices::MapB> slices;
  float2 scales[Shape::kRows];
};

/// `fours`: the batch is a multiple of 4, and results and parts start at multiples of 16 bytes. parts:
/// [gridDim.y][position][row][n], if gridDim.y is more than 1.
template <class Shape, bool kDgrad, class Weight>
__global__ void __launch_bounds__(kTileThreads, Shape::kBlocksOfSm)
    conv_tile(ConvMap map, const Weight* weights, const float* from, float* parts, int row_tiles, bool fours,
              CudaConvEpilogue epilogue) {
  using Shared = ConvShared<Shape, kDgrad>;
  Shared& shared = shared_memory<Shared>();
  const int rows = kDgrad ? map.in_channels : map.out_channels, N = map.batch;
  const int columns = (kDgrad ? map.inputs() : map.outputs()) * N;
  const int tile = static_cast<int>(blockIdx.x), part = static_cast<int>(blockIdx.y);
  const int row0 = tile % row_tiles * Shape::kRows, column0 = tile / row_tiles * Shape::kColumns;
  const bool whole = gridDim.y == 1, scales = !kDgrad && whole && epilogue.scales_sums();

  typename Shape::Sums sums = {};
  ConvSlices<Shape, kDgrad, Weight> slices(map, weights, from, row0, column0, part,
                                           static_cast<int>(gridDim.y));
  add_slices<Shape>(sums, shared.slices, slices);

  if (scales) {
    const int r = static_cast<int>(threadIdx.x);
    if (r < Shape::kRows && row0 + r < rows) shared.scales[r] = epilogue.scales(row0 + r);
    __syncthreads();
  }
  float* to = whole ? epilogue.result : parts + static_cast<std::int64_t>(part) * rows * columns;
  Shape::for_each_four(sums, [&](int r, int c, const float4& four) {
    const int row = row0 + r, column = column0 + c;
    if (row >= rows || column >= columns) return;
    const auto value = [&](float sum, int i) {
      if (scales) return epilogue.value(sum, shared.scales[r], i);
      return kDgrad && whole ? epilogue.value(sum, i) : sum;
    };
    float each[4] = {four.x, four.y, four.z, four.w};
    int i[4] = {(column / N * rows + row) * N + column % N};  // where they go; -1: they are outside
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int at = column + j;
      i[j] = fours ? i[0] + j : at < columns ? (at / N * rows + row) * N + at % N : -1;
      if (i[j] >= 0) each[j] = value(each[j], i[j]);
    }
    if (fours) {
      *reinterpret_cast<float4*>(to + i[0]) = make_float4(each[0], each[1], each[2], each[3]);
      return;
    }
#pragma unroll
    for (int j = 0; j < 4; ++j)
      if (i[j] >= 0) to[i[j]] = each[j];
  });
}

/// How the tiles of fprop or dgrad are divided, in slices of `steps` steps.
inline TilePlan plan_conv_tiles(const ConvGeometry& g, bool dgrad, int steps) {
  const std::int64_t rows = dgrad ? g.in_channels : g.out_channels,
                     depth = dgrad ? g.out_channels : g.in_channels;
  const std::int64_t positions = dgrad ? g.in_volume() : g.out_volume();
  // A warp of the largest tile spans two positions. With a stride the two have different taps, so half of
  // the warp's products would be with zeros.
  const bool strided = dgrad && (g.stride[0] > 1 || g.stride[1] > 1 || g.stride[2] > 1);
  return plan_tiles(rows, positions * g.batch, ceil_div(g.live_pairs(), positions) * ceil_div(depth, steps),
                    !strided);
}
inline std::size_t conv_tile_workspace(const ConvGeometry& g, bool dgrad, int steps) {
  return bytes_of_parts(plan_conv_tiles(g, dgrad, steps), dgrad ? g.batch * g.in_channels * g.in_volume()
                                                                : g.batch * g.out_channels * g.out_volume());
}

/// Starts fprop, or dgrad; `workspace` has conv_tile_workspace() bytes.
template <bool kDgrad, class Multiplier, class Weight>
void launch_conv_tiles(const ConvGeometry& g, const Weight* weights, const float* from,
                       const CudaConvEpilogue& epilogue, void* workspace, void* stream) {
  const TilePlan plan = plan_conv_tiles(g, kDgrad, Multiplier::kSteps);
  const std::int64_t outputs =
      g.batch * (kDgrad ? g.in_channels * g.in_volume() : g.out_channels * g.out_volume());
  const bool fours = g.batch % 4 == 0 && aligned_to_16(epilogue.result);
  with_tile_shape<Multiplier>(plan.tile, [&](auto shape) {
    using Shape = decltype(shape);
    launch(conv_tile<Shape, kDgrad, Weight>, grid_of_tiles(plan, sizeof(ConvShared<Shape, kDgrad>)), stream,
           conv_map(g), weights, from, static_cast<float*>(workspace), plan.row_tiles, fours, epilogue);
  });
  launch_add_parts(plan, workspace, outputs, epilogue, stream);
}

}  // namespace umbra
