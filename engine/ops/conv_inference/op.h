// Inference of a convolution, its batch norm with running statistics, an optional residual connection and an
// optional ReLU as one op, so that activations are written once and never read again:
//
//   y = act((conv(x, w) - running_mean) * gamma / sqrt(running_var + epsilon) + beta + residual)
//
// The equations and memory orders are those of conv (batch last, live taps only), batch_norm, add and relu,
// and the reference is their composition. A fast rung may take the affine map as conv(x, w) * scale + shift
// with scale = gamma / sqrt(running_var + epsilon) and shift = beta - running_mean * scale.
//
// With rounded operands x and w stand for their roundings to bfloat16, as in conv with precision bf16; sums
// and everything behind them do not change. The weights may then stand in memory as bfloat16, two bytes each.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/conv_geometry.h"

namespace umbra {

/// Of the convolution: x and w as they are; both rounded to bfloat16 on the way; the same with w already
/// rounded in memory.
enum class ConvOperands { kExact, kRounded, kRoundedInMemory };
inline constexpr ConvOperands kConvOperands[] = {ConvOperands::kExact, ConvOperands::kRounded,
                                                 ConvOperands::kRoundedInMemory};

class ConvInference final : public Op {
 public:
  ConvInference(DType type, const ConvGeometry& g, double epsilon_, bool relu_, bool residual_,
                ConvOperands operands_ = ConvOperands::kExact)
      : Op(type), geometry(g), epsilon(epsilon_), relu(relu_), residual(residual_), operands(operands_) {}
  std::string_view name() const override { return "conv_inference"; }
  std::string text() const override {
    return concat(geometry.text(), relu ? " relu" : "", residual ? " residual" : "", rounds() ? " bf16" : "",
                  weights() == DType::kBf16 ? " weights=bf16" : "");
  }
  bool rounds() const { return operands != ConvOperands::kExact; }
  /// Of the weights in memory.
  DType weights() const { return operands == ConvOperands::kRoundedInMemory ? DType::kBf16 : dtype; }
  std::int64_t count() const { return geometry.batch * geometry.out_channels * geometry.out_volume(); }
  std::vector<BufferSpec> buffers() const override {
    const ConvGeometry& g = geometry;
    return {
        {"x", dtype, g.batch * g.in_channels * g.in_volume(), Access::kIn},             // [D, H, W, Cin, N]
        {"w", weights(), g.live_taps() * g.in_channels * g.out_channels, Access::kIn},  // [tap, Cin, Cout]
        {"gamma", dtype, g.out_channels, Access::kIn},                                  // [Cout]
        {"beta", dtype, g.out_channels, Access::kIn},                                   // [Cout]
        {"running_mean", dtype, g.out_channels, Access::kIn},                           // [Cout]
        {"running_var", dtype, g.out_channels, Access::kIn, Fill::kPositive},           // [Cout]
        {"residual", dtype, residual ? count() : 0, Access::kIn},                       // as y, or empty
        {"y", dtype, count(), Access::kOut}};  // [oD, oH, oW, Cout, N]
  }
  double flops() const override {
    const ConvGeometry& g = geometry;
    const double sums = static_cast<double>(g.in_channels * g.out_channels * g.batch);
    return 2 * sums * static_cast<double>(g.live_pairs()) +
           (2 + (relu ? 1 : 0) + (residual ? 1 : 0)) * static_cast<double>(count());
  }
  double sum_length() const override { return static_cast<double>(geometry.in_channels * geometry.taps()); }

  ConvGeometry geometry;
  double epsilon;
  bool relu, residual;
  ConvOperands operands;
};

}  // namespace umbra
