// Inference of a convolution, its batch norm with running statistics, an optional residual connection and an
// optional ReLU as one op, so that activations are written once and never read again:
//
//   y = act((conv(x, w) - running_mean) * gamma / sqrt(running_var + epsilon) + beta + residual)
//
// The equations and memory orders are those of fprop (batch last, live taps only), batch_norm, add and
// relu, and the reference is their composition. A fast rung may compute the affine map as conv(x, w) *
// scale + shift with scale = gamma / sqrt(running_var + epsilon) and shift = beta - running_mean * scale.
//
// With precision tf32 or bf16, x and w are rounded as in fprop; sums and everything after them are not.
// With bf16 the weights may be stored as bfloat16, two bytes each. They may be a packed operand, as fprop's.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/conv/packed_weights.h"
#include "engine/ops/shared/rounding.h"

namespace umbra {

class ConvInference final : public Op {
 public:
  ConvInference(DType type, const ConvGeometry& g, double epsilon_, bool relu_, bool residual_,
                Precision operands = Precision::kF32)
      : ConvInference(type, g, epsilon_, relu_, residual_, operands, type) {}
  /// `weights_` is the type of w in memory: `type` or, with precision bf16, kBf16.
  ConvInference(DType type, const ConvGeometry& g, double epsilon_, bool relu_, bool residual_,
                Precision operands, DType weights_)
      : Op(type),
        geometry(g),
        epsilon(epsilon_),
        relu(relu_),
        residual(residual_),
        precision(operands),
        weights(weights_) {
    check_weights(dtype, precision, weights);
  }
  static constexpr std::string_view kName = "conv_inference";
  std::string_view name() const override { return kName; }
  std::string text() const override {
    return concat(geometry.text(), relu ? " relu" : "", residual ? " residual" : "",
                  rounding_text(precision, weights), packed_weights_text(weights_packed));
  }
  std::int64_t count() const { return geometry.batch * geometry.out_channels * geometry.out_volume(); }
  std::vector<BufferSpec> buffers() const override {
    const ConvGeometry& g = geometry;
    BufferSpec w{"w", weights, g.weights(), Access::kIn};  // [live tap, Cin / groups, Cout]
    if (weights_packed) w = packed_weights_of_fprop(g, precision, dtype);
    return {{"x", dtype, g.batch * g.in_channels * g.in_volume(), Access::kIn},  // [D, H, W, Cin, N]
            w,
            {"gamma", dtype, g.out_channels, Access::kIn},                         // [Cout]
            {"beta", dtype, g.out_channels, Access::kIn},                          // [Cout]
            {"running_mean", dtype, g.out_channels, Access::kIn},                  // [Cout]
            {"running_var", dtype, g.out_channels, Access::kIn, Fill::kPositive},  // [Cout]
            {"residual", dtype, residual ? count() : 0, Access::kIn},              // as y, or empty
            {"y", dtype, count(), Access::kOut}};                                  // [oD, oH, oW, Cout, N]
  }
  /// Why rungs that read no packed operands do not support it, or "".
  std::string unusual() const { return unusual_weights(weights_packed); }
  double flops() const override {
    const ConvGeometry& g = geometry;
    const double sums = static_cast<double>(g.group_inputs() * g.out_channels * g.batch);
    return 2 * sums * static_cast<double>(g.live_pairs()) +
           (2 + (relu ? 1 : 0) + (residual ? 1 : 0)) * static_cast<double>(count());
  }
  double sum_length() const override {
    return static_cast<double>(geometry.group_inputs() * geometry.taps());
  }

  ConvGeometry geometry;
  double epsilon;
  bool relu, residual;
  Precision precision;          // both operands of the convolution are rounded to it
  DType weights;                // of w in memory
  bool weights_packed = false;  // whether w is a packed operand; then `weights` has no meaning
};

}  // namespace umbra
