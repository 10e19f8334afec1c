// The fully connected layer as matrix products in tiles (engine/cuda/tile/gemm_tile.h), in fp32 or on
// tensor cores:
//
//   pass     result       A [row, step]    B [step, column]                 the sum runs over
//   fprop    y  [n][m]    x  [n][k]        w [m][k]                         k
//   dgrad    dx [n][k]    dy [n][m]        w [m][k]                         m
//   wgrad    dw [m][k]    dy [n][m]        x [n][k], and a column of ones   n
//
// The column of ones after x gives the gradient of the biases. A head's products have few tiles: their sums
// are divided into parts, which a second kernel adds in order.
#pragma once

#include "engine/cuda/tile/gemm_tile.h"
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/matmul/op.h"

namespace umbra {

/// A matrix of lanes x steps: whether a lane's steps are adjacent in memory, and the elements from one line
/// to the next. One lane after the last may consist of ones.
template <bool kAlongSteps_, class T = float>
struct Operand {
  static constexpr bool kAlongSteps = kAlongSteps_;
  using Element = T;
  const T* data;
  int lanes, steps, pitch;
  bool ones = false;

  template <class Map, bool kOnes, int kLoads>
  __device__ void load(T (&to)[kLoads], int first_lane, int first_step) const {
    const int lane = first_lane + Map::lane(0), step = first_step + Map::step(0);
    const unsigned line = static_cast<unsigned>(kAlongSteps ? lane : step);
    const unsigned along = static_cast<unsigned>(kAlongSteps ? step : lane);
    load_lanes<Map>(to, data, line * static_cast<unsigned>(pitch) + along, lanes - lane, steps - step,
                    kAlongSteps ? pitch : 1, kAlongSteps ? 1 : pitch);
    if constexpr (kOnes && !kAlongSteps) {
      if (!ones || lane != lanes) return;
#pragma unroll
      for (int j = 0; j < kLoads; ++j) to[j] = first_step + Map::step(j) < steps ? 1.0f : 0.0f;
    }
  }
};
template <class Shape, class A, class B>
class MatrixSlices {
 public:
  using ElementA = typename A::Element;
  using ElementB = typename B::Element;
  using MapA = MapOf<Shape, Shape::kRows, A::kAlongSteps>;
  using MapB = MapOf<Shape, Shape::kColumns, B::kAlongSteps>;

  __device__ MatrixSlices(const A& a, const B& b, int row, int column, int part, int parts)
      : a_(a), b_(b), row_(row), column_(column) {
    const int slices = ceil_div(a.steps, Shape::kSteps), first = first_slice(slices, part, parts);
    left_ = first_slice(slices, part + 1, parts) - first;
    start_ = (first - 1) * Shape::kSteps;
    useful_ = row + Shape::warp_row() < a.lanes && column + Shape::warp_column() < b.lanes + (b.ones ? 1 : 0);
  }
  __device__ bool next() {
    start_ += Shape::kSteps;
    return left_-- > 0;
  }
  __device__ int steps() const {
    return a_.steps - start_ < Shape::kSteps ? a_.steps - start_ : Shape::kSteps;
  }
  __device__ bool useful() const { return useful_; }
  __device__ void load(ElementA (&a)[Shape::kLoadsOfA], ElementB (&b)[Shape::kLoadsOfB]) const {
    a_.template load<MapA, false>(a, row_, start_);
    b_.template load<MapB, !Shape::kRounds>(b, column_, start_);
  }

 private:
  const A& a_;
  const B& b_;
  int row_, column_, start_, left_;
  bool useful_;
};

/// The result [rows][columns], and optionally one more number per row or per column.
struct MatrixResult {
  float* data;
  int rows, columns;
  const float* add;  // [columns], added to every row, or null
  float* more;       // [rows]: the column after the last, the sums of A's rows; or null
  __host__ __device__ int width() const { return more == nullptr ? columns : columns + 1; }
  __device__ void put(int row, int column, float sum) const {
    if (column == columns) {
      more[row] = sum;
    } else {
      data[row * columns + column] = add == nullptr ? sum : sum + add[column];
    }
  }
  __device__ void put(int i, float sum) const { put(i / width(), i % width(), sum); }
};

template <class Shape, class A, class B>
struct MatrixShared {
  using Slices = MatrixSlices<Shape, A, B>;
  typename Shape::template Slices<typename Slices::MapA, typename Slices::MapB> slices;
  float sums[Shape::kRounds ? kTileThreads : 1];  // of A's rows, by the threads that loaded them
};

/// parts: [gridDim.y][rows][width], if gridDim.y is more than 1. `fours`: rows of the result start at
/// multiples of 16 bytes.
///
/// The sums of A's rows are the product with a column of ones after B. Where operands are rounded, the sums
/// must be of the unrounded numbers; the threads that load them in the first column of tiles then add them
/// up.
template <class Shape, class A, class B>
__global__ void __launch_bounds__(kTileThreads, Shape::kBlocksOfSm)
    matrix_tile(A a, B b, MatrixResult result, float* parts, int row_tiles, bool fours) {
  constexpr bool kSumsRows = Shape::kRounds && !A::kAlongSteps;
  using Shared = MatrixShared<Shape, A, B>;
  Shared& shared = shared_memory<Shared>();
  const int tile = static_cast<int>(blockIdx.x), part = static_cast<int>(blockIdx.y);
  const int row0 = tile % row_tiles * Shape::kRows, column0 = tile / row_tiles * Shape::kColumns;
  const int width = result.width(), columns = Shape::kRounds ? result.columns : width;
  const std::int64_t start = static_cast<std::int64_t>(part) * result.rows * width;
  typename Shape::Sums sums = {};
  MatrixSlices<Shape, A, B> slices(a, b, row0, column0, part, static_cast<int>(gridDim.y));
  if constexpr (kSumsRows) {
    float sum = 0;  // of one row: all that this thread loads
    add_slices<Shape>(sums, shared.slices, slices, [&](const float(&loaded)[Shape::kLoadsOfA]) {
#pragma unroll
      for (int j = 0; j < Shape::kLoadsOfA; ++j) sum += loaded[j];
    });
    const int r = static_cast<int>(threadIdx.x), row = row0 + r;
    shared.sums[r] = sum;  // of row r % kRows
    __syncthreads();
    if (result.more != nullptr && column0 == 0 && r < Shape::kRows && row < result.rows) {
#pragma unroll
      for (int i = r + Shape::kRows; i < kTileThreads; i += Shape::kRows) sum += shared.sums[i];
      if (gridDim.y > 1) {
        parts[start + (row * width + result.columns)] = sum;
      } else {
        result.put(row, result.columns, sum);
      }
    }
  } else {
    add_slices<Shape>(sums, shared.slices, slices);
  }
  Shape::for_each_four(sums, [&](int r, int c, const float4& four) {
    const int row = row0 + r, column = column0 + c;
    if (row >= result.rows || column >= columns) return;
    if (gridDim.y > 1) {
      return store_four(parts + start + (row * width + column), four, columns - column, false);
    }
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
      if (column + j < columns) result.put(row, column + j, each[j]);
    }
  });
}

/// Columns of wgrad's tiles: the gradient of the biases is one more where they are multiplied in fp32.
inline std::int64_t wgrad_columns(const LinearWgrad& op) {
  return op.in + (op.bias && op.precision == Precision::kF32 ? 1 : 0);
}
/// How the tiles are divided, in slices of so many steps.
inline TilePlan plan_of(const LinearFprop& op, int steps) {
  return plan_tiles(op.rows, op.out, ceil_div(op.in, steps));
}
inline TilePlan plan_of(const LinearDgrad& op, int steps) {
  return plan_tiles(op.rows, op.in, ceil_div(op.out, steps));
}
inline TilePlan plan_of(const LinearWgrad& op, int steps) {
  return plan_tiles(op.out, wgrad_columns(op), ceil_div(op.rows, steps));
}
inline std::size_t matrix_workspace(const LinearFprop& op, int steps) {
  return bytes_of_parts(plan_of(op, steps), op.rows * op.out);
}
inline std::size_t matrix_workspace(const LinearDgrad& op, int steps) {
  return bytes_of_parts(plan_of(op, steps), op.rows * op.in);
}
inline std::size_t matrix_workspace(const LinearWgrad& op, int steps) {
  return bytes_of_parts(plan_of(op, steps), op.out * (op.in + (op.bias ? 1 : 0)));
}

template <class Multiplier, class A, class B>
void launch_matrix_tiles(const TilePlan& plan, const A& a, const B& b, const MatrixResult& result,
                         void* workspace, Stream& stream) {
  const bool fours = result.columns % 4 == 0 && aligned_to_16(result.data);
  with_tile_shape<Multiplier>(plan.tile, [&](auto shape) {
    using Shape = decltype(shape);
    launch(matrix_tile<Shape, A, B>, grid_of_tiles(plan, sizeof(MatrixShared<Shape, A, B>)), stream.native(),
           a, b, result, static_cast<float*>(workspace), plan.row_tiles, fours);
  });
  launch_add_parts(plan, workspace, static_cast<std::int64_t>(result.rows) * result.width(), result,
                   stream.native());
}

/// Starts a pass; `workspace` has matrix_workspace() bytes.
template <class Multiplier, class Weight>
void launch_linear_fprop(const LinearFprop& op, const Weight* weights, Buffers b, void* workspace,
                         Stream& stream) {
  const int rows = static_cast<int>(op.rows), in = static_cast<int>(op.in), out = static_cast<int>(op.out);
  const Operand<true> x{b.in(0), rows, in, in};         // [rows, in]
  const Operand<true, Weight> w{weights, out, in, in};  // [out, in]
  const float* bias = op.bias ? b.in(2) : nullptr;
  launch_matrix_tiles<Multiplier>(plan_of(op, Multiplier::kSteps), x, w, {b.out(3), rows, out, bias, nullptr},
                                  workspace, stream);
}
template <class Multiplier, class Weight>
void launch_linear_dgrad(const LinearDgrad& op, const Weight* weights, Buffers b, void* workspace,
                         Stream& stream) {
  const int rows = static_cast<int>(op.rows), in = static_cast<int>(op.in), out = static_cast<int>(op.out);
  const Operand<true> dy{b.in(0), rows, out, out};       // [rows, out]
  const Operand<false, Weight> w{weights, in, out, in};  // [out, in]
  launch_matrix_tiles<Multiplier>(plan_of(op, Multiplier::kSteps), dy, w,
                                  {b.out(2), rows, in, nullptr, nullptr}, workspace, stream);
}
template <class Multiplier>
void launch_linear_wgrad(const LinearWgrad& op, Buffers b, void* workspace, Stream& stream) {
  const int rows = static_cast<int>(op.rows), in = static_cast<int>(op.in), out = static_cast<int>(op.out);
  const bool ones = wgrad_columns(op) > op.in;
  const Operand<false> dy{b.in(1), out, rows, out};     // [rows, out]
  const Operand<false> x{b.in(0), in, rows, in, ones};  // [rows, in]
  float* db = op.bias ? b.out(3) : nullptr;             // [out]
  launch_matrix_tiles<Multiplier>(plan_of(op, Multiplier::kSteps), dy, x, {b.out(2), out, in, nullptr, db},
                                  workspace, stream);
}

}  // namespace umbra
