// A product on tensor cores, as ops describe it, with windows that may move over an array: a sum over slices
//
//   result[unit][row j][sample] = sum over slices of  W[slice][j][step] * X[slice, unit][sample][step]
//
// where a unit is 32 samples of one position of the result, W comes from a packed operand with a row per j
// and X from one with a row per sample (packed_operand.h). There are two kinds of slices:
//
//   taps    a slice = (a live tap of the window, some steps of its sum): the positions of the result are the
//           windows (a convolution) or, for the adjoint, the inputs of the windows (the gradient with respect
//           to the input). A plain matrix product has one position and one tap
//   pairs   a result for each tap, and a slice = (a pair of positions that the tap couples, some of their
//           steps): the gradient of a convolution with respect to the weights
//
// A block computes the sums of some units and some rows. Taps that read only padding for all its units are
// not in its list; taps that do so for some of its units are skipped for these. There are four rungs, each of
// which adds one idea. They use the same packed operands, divide the work the same way and differ in how
// operands reach the tensor cores:
//
//   cuda_4_wgmma         a warpgroup multiplies from shared memory; threads copy operands there
//   cuda_5_tma           TMA copies them, several slices ahead, and mbarriers signal their arrival
//   cuda_6_specialised   one warp only starts copies, the others only multiply; they never wait for each
//                        other's work, and the multiplying warps get most of the registers
//   cuda_7_cluster       if a result has few tiles, the blocks of a cluster share the slices of one or a few
//                        tiles and add their sums through each other's shared memory, in fixed order
#pragma once

#include <optional>

#include "engine/cuda/tile/indexing.h"
#include "engine/cuda/tile/packed_operand.h"
#include "engine/cuda/tile/tensor_blocks.h"
#include "engine/cuda/tile/tensor_rung.h"
#include "engine/cuda/tile/window_map.h"

namespace umbra {

inline constexpr int kUnitSamples = 32, kUnitSums = 16;  // per unit: samples, and sums per thread
/// Terms of a sum, live taps times depth: the clocks of a tile's slices then fit into 32 bits (tensor_slices.h).
inline constexpr std::int64_t kMostTensorTerms = std::int64_t{1} << 25;
inline constexpr int kMostTensorTaps = 128;  // live taps: the capacity of a block's list in shared memory

/// The order of the units, if a list of positions is needed.
struct PositionOrder {
  static constexpr int kMost = 512;
  bool natural;  // position i is number i
  unsigned short position[kMost];
};

/// What a block needs to walk its slices.
struct TensorWalk {
  WindowMap map;
  bool pairs;     // slices are pairs of positions, not taps
  bool adjoint;   // with taps: positions are inputs
  int depth;      // numbers along the sum of a tap or pair
  int rows;       // j
  int samples;    // per position
  int blocks;     // units per position
  int positions;  // of the result; with pairs: 1
  int taps;       // with pairs: the number of results; otherwise 1
  PositionOrder order;

  constexpr int units() const { return positions * blocks; }
  constexpr int position(int unit) const {
    const int rank = unit / blocks;
    return order.natural ? rank : order.position[rank];
  }
};

/// What is applied to the sums: the map of a batch norm with running statistics, a residual, a ReLU; or a
/// bias; or a residual alone, another gradient; or nothing. Element i of the result is
///   [outer][j][sample]: outer * outer_pitch + j * row_pitch + sample * sample_pitch
/// where outer is a position, or a tap.
struct TensorEpilogue {
  float* result;
  int outer_pitch, row_pitch, sample_pitch, rows;
  // [rows] each, or null: no map. beta alone is a bias
  const float *gamma = nullptr, *beta = nullptr, *mean = nullptr, *var = nullptr;
  const float* residual = nullptr;  // with the layout of the result, or null
  double epsilon = 0;
  bool relu = false;

  __device__ bool scales_rows() const { return beta != nullptr; }
  /// The factor and the shift that change no sum: even -0 stays -0.
  __device__ static float2 no_scales() { return make_float2(1, -0.0f); }
  /// The factor and the shift of a row if scales_rows(), computed in double and rounded once.
  __device__ float2 scales(int row) const {
    if (gamma == nullptr) return make_float2(1, beta[row]);
    const double factor = static_cast<double>(gamma[row]) / sqrt(static_cast<double>(var[row]) + epsilon);
    const double shift = static_cast<double>(beta[row]) - static_cast<double>(mean[row]) * factor;
    return make_float2(static_cast<float>(factor), static_cast<float>(shift));
  }
  /// Element i of the result. A NaN stays a NaN.
  __device__ float value(float sum, float2 scales, int i) const {
    float v = sum * scales.x + scales.y;
    if (residual != nullptr) v += residual[i];
    return relu && v <= 0 ? 0.0f : v;
  }
  __device__ void put(int i, float sum) const {
    result[i] = value(sum, scales_rows() ? scales(i / row_pitch % rows) : no_scales(), i);
  }
};

/// A product: its walk, its operands in memory and how they are packed, and its epilogue.
struct TensorProduct {
  Precision precision;
  TensorWalk walk;
  OperandSource w, x;
  bool w_transposed, x_transposed;
  bool w_along_rows;  // W is packed as [step][j] (bf16 only), not [j][step]
  TensorEpilogue epilogue;
  std::int64_t outputs;
  std::int64_t live;  // with taps: (unit, tap) pairs that touch data; with pairs: pairs of all taps
};

/// The shapes of a block's tile: units on M (each warpgroup multiplies two units by up to 256 rows), or units
/// on N (each warpgroup multiplies 64 rows by up to 8 units, skipping those for which a tap reads only
/// padding).
enum class TensorShape { kRows64, kRows128, kRows200, kRows256, kUnits1, kUnits8 };
constexpr bool units_on_m(TensorShape shape) {
  return shape != TensorShape::kUnits1 && shape != TensorShape::kUnits8;
}
constexpr int units_of(TensorShape shape) {
  return shape == TensorShape::kUnits1 ? 1 : shape == TensorShape::kUnits8 ? 8 : 4;
}
constexpr int rows_of(TensorShape shape) {
  switch (shape) {
    case TensorShape::kRows64:
      return 64;
    case TensorShape::kRows200:
      return 200;
    case TensorShape::kRows256:
      return 256;
    default:
      return 128;
  }
}

/// How a product is divided. There are `parts` parts of every tile or, if blocks are listed, `parts` blocks in a
/// cluster, which may have parts of several tiles.
struct TensorPlan {
  TensorShape shape;
  int row_tiles, unit_tiles, taps;
  int parts;
  TensorBlocks blocks;
  constexpr std::int64_t tiles() const { return static_cast<std::int64_t>(row_tiles) * unit_tiles * taps; }
  /// Of the grid: clusters if blocks are listed, otherwise tiles.
  constexpr std::int64_t columns() const { return blocks.count == 0 ? tiles() : blocks.count / parts; }
};

/// An order of positions in which neighbours, whose units are multiplied together (two) or are in the same tile
/// (four, eight), have as many taps in common as possible. The natural order if blocks of samples pair within a
/// position or there are too many positions.
PositionOrder paired_order(const TensorWalk& walk);

/// How many clusters of each number of blocks, one per multiprocessor, run at a time on an H100 or H200: of 8 blocks, 120 multiprocessors (public reports); of 2, all, which come in pairs; of others,
/// what eight groups of 16 hold. tools/sass/constants.py has the same table, and bench/machine prints that of a
/// GPU. Cards may differ by a cluster; plans do not, since the order of a sum follows from them.
inline constexpr int kClustersAtOnce[] = {
    0, kPlannedMultiprocessors, kPlannedMultiprocessors / 2, 40, 32, 24, 16, 16, 15};

/// How the rung divides a product, which depends on its size alone. Remembered: a product is divided once.
TensorPlan plan_tensor_product(const TensorProduct& product, TensorRung rung);
/// The same, found again.
TensorPlan find_tensor_plan(const TensorProduct& product, TensorRung rung);

/// The plan with this shape and clusters of `size` blocks, of which `at_once` run at a time, that takes the least
/// time; nothing if there is none in at most two waves of clusters and TensorBlocks::kMost blocks.
std::optional<TensorPlan> plan_clusters(const TensorProduct& product, TensorShape shape, int size,
                                        int at_once);

/// Bytes of the packed operands and, on rungs without clusters, of the parts of sums.
std::size_t tensor_workspace(const TensorProduct& product, TensorRung rung);

/// Packs the operands and starts the kernel of the rung, by its own plan …
void run_tensor_product(const TensorProduct& product, TensorRung rung, void* workspace, void* stream);
/// … or by another one, for which the workspace must be large enough.
void run_tensor_product(const TensorProduct& product, TensorRung rung, const TensorPlan& plan,
                        void* workspace, void* stream);

// ---- the rungs' launches, called by run_tensor_product() ----

struct TensorLaunch {
  TensorProduct product;
  TensorPlan plan;
  PackedOperand w, x;
  float* parts;  // [parts][outputs], or null
};
void launch_tensor_wgmma(const TensorLaunch& launch, void* stream);
void launch_tensor_tma(const TensorLaunch& launch, void* stream);
void launch_tensor_specialised(const TensorLaunch& launch, void* stream);
void launch_tensor_cluster(const TensorLaunch& launch, void* stream);

/// Whether clusters of `size` blocks of the kernel that launch_tensor_cluster() starts for this shape run on this
/// GPU at all: on a part of one, fewer blocks may fit.
bool runs_clusters(const TensorProduct& product, TensorShape shape, int size);

/// Numbers of a slice along the sum: 128 bytes of a row, or 64 if the sum of bfloat16 operands runs over
/// samples.
constexpr int slice_steps(Precision precision, bool pairs) {
  return precision == Precision::kTf32 || pairs ? 32 : 64;
}

}  // namespace umbra
