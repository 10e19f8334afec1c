// A rung of the fully connected layer on Hopper's tensor cores, cuda_4_wgmma to cuda_7_cluster.
// engine/cuda/tile/tensor_product.h describes what the four share and what each adds. There, this layer is
// a window of one position and one tap, whose matrices have rows instead of channels and samples.
//
//   pass     result, row j, sample     W [j][step]        X [sample][step]
//   fprop    y  [n][m]    m, n         w  [m][k]          x  [n][k]
//   dgrad    dx [n][k]    k, n         w  [m][k] across   dy [n][m]
//   wgrad    dw [m][k]    k, m         x  [n][k] across   dy [n][m] transposed
//
// "Across": bfloat16 is read with the steps one below the other; TF32, which tensor cores read only along
// the sum, is transposed. A separate kernel computes the gradient of the biases: the plain sum of dy's
// columns.
#pragma once

#include <algorithm>

#include "engine/cuda/tile/tensor_product.h"
#include "engine/ops/kernel.h"
#include "engine/ops/matmul/cuda_column_sums.h"
#include "engine/ops/matmul/cuda_declines.h"
#include "engine/ops/matmul/op.h"

namespace umbra {

inline TensorProduct matrix_product(Precision precision, std::int64_t rows, std::int64_t samples,
                                    std::int64_t depth, void* result) {
  constexpr WindowAxis kPoint = window_axis(1, 1, 1, 1, 0);
  const int J = static_cast<int>(rows), N = static_cast<int>(samples);
  TensorProduct made{};
  made.precision = precision;
  made.walk = {.map = {kPoint, kPoint, kPoint},
               .pairs = false,
               .adjoint = false,
               .depth = static_cast<int>(depth),
               .rows = J,
               .samples = N,
               .blocks = ceil_div(N, kUnitSamples),
               .positions = 1,
               .taps = 1,
               .order = {true, {}}};
  made.epilogue = {
      .result = static_cast<float*>(result), .outer_pitch = 0, .row_pitch = 1, .sample_pitch = J, .rows = J};
  made.outputs = rows * samples;
  made.live = made.walk.blocks;
  return made;
}
inline void read_across(TensorProduct& product) {
  product.w_transposed = product.precision == Precision::kTf32;
  product.w_along_rows = product.precision == Precision::kBf16;
}

inline TensorProduct tensor_product_of(const LinearFprop& op, Buffers b) {  // x, w, b -> y
  TensorProduct made = matrix_product(op.precision, op.out, op.rows, op.in, b[3]);
  made.w = {b[1], op.weights, 1, op.out, op.in};
  made.x = {b[0], DType::kF32, 1, op.rows, op.in};
  made.epilogue.beta = op.bias ? b.in(2) : nullptr;
  return made;
}
inline TensorProduct tensor_product_of(const LinearDgrad& op, Buffers b) {  // dy, w -> dx
  TensorProduct made = matrix_product(op.precision, op.in, op.rows, op.out, b[2]);
  made.w = {b[1], op.weights, 1, op.out, op.in};
  read_across(made);
  made.x = {b[0], DType::kF32, 1, op.rows, op.out};
  return made;
}
inline TensorProduct tensor_product_of(const LinearWgrad& op, Buffers b) {  // x, dy -> dw, db
  TensorProduct made = matrix_product(op.precision, op.in, op.out, op.rows, b[2]);
  made.w = {b[0], DType::kF32, 1, op.rows, op.in};
  read_across(made);
  made.x = {b[1], DType::kF32, 1, op.rows, op.out};
  made.x_transposed = true;
  return made;
}

/// Samples of a tile of cuda_3_mma. With no more of them that rung reads every weight once and needs one
/// launch or two; packed operands and the plain sums would be one to three launches more and only move the same
/// numbers again.
inline constexpr std::int64_t kFewSamples = rows_of(Tile::kSmall);

template <class O, TensorRung kRung>
struct LinearTensorRung {
  static std::string declines(const O& op) {
    if (op.rows <= kFewSamples)
      return concat("it packs its operands, which needs more launches than products of ", kFewSamples,
                    " samples or fewer");
    std::string reason = cuda_declines_fp32(op);
    if (reason.empty()) reason = why_no_wgmma();
    return reason.empty() ? tensor_terms_decline(std::max({op.rows, op.in, op.out})) : reason;
  }
  static std::size_t workspace(const O& op) {
    constexpr void* kNoBuffers[4] = {};
    return tensor_workspace(tensor_product_of(op, kNoBuffers), kRung);
  }
  static void run(const O& op, Buffers b, void* memory, Stream& stream) {
    run_tensor_product(tensor_product_of(op, b), kRung, memory, stream.native());
    if constexpr (std::is_same_v<O, LinearWgrad>) {
      if (op.bias) launch_column_sums(op, b.in(1), b.out(3), stream);
    }
  }
  static Kernel kernel() { return make_kernel<O, run, declines, workspace>(); }
};

}  // namespace umbra
