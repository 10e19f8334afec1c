// The three passes as products of matrices in tiles (engine/cuda/gemm_tile.h):
//
//   pass     result       A [row, step]    B [step, column]                 the sum runs over
//   fprop    y  [n][m]    x  [n][k]        w [m][k]                         k
//   dgrad    dx [n][k]    dy [n][m]        w [m][k]                         m
//   wgrad    dw [m][k]    dy [n][m]        x [n][k], and a column of ones   n
//
// The column of ones behind x gives the slope of the biases. A head's products have few tiles: their sums are
// cut into parts, which a second kernel adds in order.
#include <type_traits>

#include "engine/cuda/gemm_tile.h"
#include "engine/cuda/indexing.h"
#include "engine/ops/linear/rungs_cuda.h"

namespace umbra {
namespace {

// A matrix of lanes x steps: whether a lane's steps lie side by side, and elements from one line to the next.
// A lane behind the last may stand for ones.
template <bool kAlongSteps>
struct Operand {
  const float* data;
  int lanes, steps, pitch;
  bool ones = false;

  template <class Map, int kLoads>
  __device__ void load(float (&to)[kLoads], int first_lane, int first_step) const {
    const int lane = first_lane + Map::lane(0), step = first_step + Map::step(0);
    const unsigned line = static_cast<unsigned>(kAlongSteps ? lane : step);
    const unsigned along = static_cast<unsigned>(kAlongSteps ? step : lane);
    load_lanes<Map>(to, data, line * static_cast<unsigned>(pitch) + along, lanes - lane, steps - step,
                    kAlongSteps ? pitch : 1, kAlongSteps ? 1 : pitch);
    if constexpr (!kAlongSteps) {
      if (!ones || lane != lanes) return;
#pragma unroll
      for (int j = 0; j < kLoads; ++j) to[j] = first_step + Map::step(j) < steps ? 1.0f : 0.0f;
    }
  }
};
template <bool kAlongSteps, int kLanes>
using MapOf = std::conditional_t<kAlongSteps, ByStep<kLanes>, ByLane<kLanes>>;

template <class Shape, bool kAlongA, bool kAlongB>
class MatrixSlices {
 public:
  using MapA = MapOf<kAlongA, Shape::kRows>;
  using MapB = MapOf<kAlongB, Shape::kColumns>;

  __device__ MatrixSlices(const Operand<kAlongA>& a, const Operand<kAlongB>& b, int row, int column, int part,
                          int parts)
      : a_(a), b_(b), row_(row), column_(column) {
    const int slices = ceil_div(a.steps, kTileSteps), first = first_slice(slices, part, parts);
    left_ = first_slice(slices, part + 1, parts) - first;
    start_ = (first - 1) * kTileSteps;
    useful_ = row + Shape::warp_row() < a.lanes && column + Shape::warp_column() < b.lanes + (b.ones ? 1 : 0);
  }
  __device__ bool next() {
    start_ += kTileSteps;
    return left_-- > 0;
  }
  __device__ int steps() const { return a_.steps - start_ < kTileSteps ? a_.steps - start_ : kTileSteps; }
  __device__ bool useful() const { return useful_; }
  __device__ void load(float (&a)[Shape::kLoadsOfA], float (&b)[Shape::kLoadsOfB]) const {
    a_.template load<MapA>(a, row_, start_);
    b_.template load<MapB>(b, column_, start_);
  }

 private:
  const Operand<kAlongA>& a_;
  const Operand<kAlongB>& b_;
  int row_, column_, start_, left_;
  bool useful_;
};

// The result [rows][columns], and maybe one number more per row or per column.
struct Result {
  float* data;
  int rows, columns;
  const float* add;  // [columns] to add to every row, or null
  float* more;       // [rows]: sums of the column behind the last, or null
  __device__ int width() const { return more == nullptr ? columns : columns + 1; }
  __device__ void put(int row, int column, float sum) const {
    if (column == columns) {
      more[row] = sum;
    } else {
      data[row * columns + column] = add == nullptr ? sum : sum + add[column];
    }
  }
  __device__ void put(int i, float sum) const { put(i / width(), i % width(), sum); }
};

// parts: [gridDim.y][rows][width], if gridDim.y is more than 1. `fours`: rows of the result start at
// multiples of 16 bytes.
template <class Shape, bool kAlongA, bool kAlongB>
__global__ void __launch_bounds__(kTileThreads, Shape::kBlocksOfSm)
    matrix_tile(Operand<kAlongA> a, Operand<kAlongB> b, Result result, float* parts, int row_tiles,
                bool fours) {
  TileSlices<Shape>& shared = shared_memory<TileSlices<Shape>>();
  const int tile = static_cast<int>(blockIdx.x), part = static_cast<int>(blockIdx.y);
  const int row0 = tile % row_tiles * Shape::kRows, column0 = tile / row_tiles * Shape::kColumns;
  typename Shape::Sums sums = {};
  using Slices = MatrixSlices<Shape, kAlongA, kAlongB>;
  Slices slices(a, b, row0, column0, part, static_cast<int>(gridDim.y));
  add_slices<Shape, typename Slices::MapA, typename Slices::MapB>(sums, shared, slices);
  const int width = result.width();
  const std::int64_t start = static_cast<std::int64_t>(part) * result.rows * width;
  for_each_four<Shape>(sums, [&](int r, int c, const float4& four) {
    const int row = row0 + r, column = column0 + c;
    if (row >= result.rows || column >= width) return;
    if (gridDim.y > 1) return store_four(parts + start + (row * width + column), four, width - column, false);
    if (fours && column < result.columns) {
      const float* add = result.add == nullptr ? nullptr : result.add + column;
      *reinterpret_cast<float4*>(result.data + (row * result.columns + column)) =
          add == nullptr ? four
                         : make_float4(four.x + add[0], four.y + add[1], four.z + add[2], four.w + add[3]);
      return;
    }
    const float each[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (column + j < width) result.put(row, column + j, each[j]);
    }
  });
}

TilePlan plan_of(std::int64_t rows, std::int64_t width, std::int64_t steps) {
  return plan_tiles(rows, width, ceil_div(steps, kTileSteps));
}
TilePlan plan_of(const LinearFprop& op) {
  return plan_of(op.rows, op.out, op.in);
}
TilePlan plan_of(const LinearDgrad& op) {
  return plan_of(op.rows, op.in, op.out);
}
std::int64_t wgrad_width(const LinearWgrad& op) {
  return op.in + (op.bias ? 1 : 0);
}
TilePlan plan_of(const LinearWgrad& op) {
  return plan_of(op.out, wgrad_width(op), op.rows);
}

template <bool kAlongA, bool kAlongB>
void launch_tiles(const TilePlan& plan, const Operand<kAlongA>& a, const Operand<kAlongB>& b,
                  const Result& result, void* workspace, Stream& stream) {
  const bool fours = result.columns % 4 == 0 && aligned_to_16(result.data);
  with_tile_shape(plan.tile, [&](auto shape) {
    using Shape = decltype(shape);
    launch(matrix_tile<Shape, kAlongA, kAlongB>, grid_of_tiles<Shape>(plan), stream.native(), a, b, result,
           static_cast<float*>(workspace), plan.row_tiles, fours);
  });
  const std::int64_t width = result.columns + (result.more == nullptr ? 0 : 1);
  launch_add_parts(plan, workspace, result.rows * width, result, stream.native());
}

}  // namespace

std::size_t linear_fprop_cuda_2_tiled_workspace(const LinearFprop& op) {
  return bytes_of_parts(plan_of(op), op.rows * op.out);
}
std::size_t linear_dgrad_cuda_2_tiled_workspace(const LinearDgrad& op) {
  return bytes_of_parts(plan_of(op), op.rows * op.in);
}
std::size_t linear_wgrad_cuda_2_tiled_workspace(const LinearWgrad& op) {
  return bytes_of_parts(plan_of(op), op.out * wgrad_width(op));
}

void linear_fprop_cuda_2_tiled(const LinearFprop& op, Buffers b, void* workspace, Stream& stream) {
  const int rows = static_cast<int>(op.rows), in = static_cast<int>(op.in), out = static_cast<int>(op.out);
  const Operand<true> x{static_cast<const float*>(b[0]), rows, in, in};  // [rows, in]
  const Operand<true> w{static_cast<const float*>(b[1]), out, in, in};   // [out, in]
  const float* bias = op.bias ? static_cast<const float*>(b[2]) : nullptr;
  launch_tiles(plan_of(op), x, w, {static_cast<float*>(b[3]), rows, out, bias, nullptr}, workspace, stream);
}
void linear_dgrad_cuda_2_tiled(const LinearDgrad& op, Buffers b, void* workspace, Stream& stream) {
  const int rows = static_cast<int>(op.rows), in = static_cast<int>(op.in), out = static_cast<int>(op.out);
  const Operand<true> dy{static_cast<const float*>(b[0]), rows, out, out};  // [rows, out]
  const Operand<false> w{static_cast<const float*>(b[1]), in, out, in};     // [out, in]
  launch_tiles(plan_of(op), dy, w, {static_cast<float*>(b[2]), rows, in, nullptr, nullptr}, workspace,
               stream);
}
void linear_wgrad_cuda_2_tiled(const LinearWgrad& op, Buffers b, void* workspace, Stream& stream) {
  const int rows = static_cast<int>(op.rows), in = static_cast<int>(op.in), out = static_cast<int>(op.out);
  const Operand<false> dy{static_cast<const float*>(b[1]), out, rows, out};        // [rows, out]
  const Operand<false> x{static_cast<const float*>(b[0]), in, rows, in, op.bias};  // [rows, in]
  float* db = op.bias ? static_cast<float*>(b[3]) : nullptr;                       // [out]
  launch_tiles(plan_of(op), dy, x, {static_cast<float*>(b[2]), out, in, nullptr, db}, workspace, stream);
}

}  // namespace umbra
