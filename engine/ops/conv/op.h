// Convolution (cross-correlation, as in every deep-learning library) in two or three dimensions, no bias:
//
//   y[o, k, n] = sum over t, c of  w[t, c, k] * x[o * stride - padding + t * dilation, c, n]
//
// (x = 0 outside the volume) and its two adjoints: dgrad gives dx from dy and w, wgrad gives dw from x and
// dy. A 2-D convolution is the 3-D one with extent, kernel, stride and dilation 1 and padding 0 on the
// first axis. With groups the sum runs only over the input channels of the group of k, and c numbers them
// in w.
//
// Memory is "batch last": activations [position][channel][sample], positions in row-major order (D, H, W), so
// that a vector register holds the same element of many samples and padding is simply never touched. Weights
// are [live tap][Cin / groups][Cout]: only taps that touch data for at least one output position are in
// memory, in ascending row-major order. Without any live tap the weight is empty and y is zero.
//
// With precision tf32 or bf16, x, w and dy are rounded before they are multiplied
// (engine/base/precision.h); denormal results of the rounding (below 2^-126) may count as zero. With
// precision bf16, fprop and dgrad may read the weights as bfloat16, already rounded: the bf16 copy that the
// optimisers write alongside the weights.
//
// Both activations may be packed operands (PackOperand), rounded before: x and dy of fprop and dgrad
// transposed, [position][sample][channel], those of wgrad straight, [position][channel][sample]. So may the weights of
// fprop and dgrad: straight, [live tap][Cin][Cout], except for fprop with precision tf32, which reads them transposed,
// [live tap][Cout][Cin]. Only rungs that would pack them themselves support this (Forms::kAll of make_kernel()).
//
// An input that is also read by another operation, as that of a residual block is, gets two gradients. dgrad
// may add the other one to its own before it stores it: `addend`, in fp32 and not rounded.
#pragma once

#include "engine/base/precision.h"
#include "engine/ops/conv/geometry.h"
#include "engine/ops/conv/packed_weights.h"

namespace umbra {

class ConvOp : public Op {
 public:
  ConvOp(DType type, const ConvGeometry& g, Precision operands = Precision::kF32)
      : ConvOp(type, g, operands, type) {}
  /// `weights_` is the type of w in memory: `type` or, with precision bf16, kBf16.
  ConvOp(DType type, const ConvGeometry& g, Precision operands, DType weights_);
  // the geometry's, then " tf32", " bf16", " weights=bf16", " weights=packed", " packed"
  std::string text() const override;
  double flops() const override;  // 2 * batch * (Cin / groups) * Cout * live pairs
  bool exact_on_integers() const override { return true; }
  /// Why rungs that read no packed operands do not support it, or "".
  std::string unusual() const {
    return packed ? "it reads activations in fp32 only" : unusual_weights(weights_packed);
  }
  ConvGeometry geometry;
  Precision precision;          // both operands are rounded to it; sums and memory are of `dtype`
  DType weights;                // of w in memory
  bool packed = false;          // whether x and dy are packed operands
  bool weights_packed = false;  // whether w is one, of fprop and dgrad; then `weights` has no meaning

 protected:
  BufferSpec x(std::string_view name, Access access) const;              // [D, H, W, Cin, N]
  BufferSpec w(std::string_view name, DType type, Access access) const;  // [live tap, Cin / groups, Cout]
  BufferSpec y(std::string_view name, Access access) const;              // [oD, oH, oW, Cout, N]
};

class ConvFprop final : public ConvOp {
 public:
  using ConvOp::ConvOp;
  static constexpr std::string_view kName = "conv_fprop";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override;  // x, w -> y
  double sum_length() const override;
};
class ConvDgrad final : public ConvOp {
 public:
  using ConvOp::ConvOp;
  static constexpr std::string_view kName = "conv_dgrad";
  std::string_view name() const override { return kName; }
  std::string text() const override;                 // ConvOp's, then " addend"
  std::vector<BufferSpec> buffers() const override;  // dy, w -> dx, addend
  double sum_length() const override;
  bool addend = false;  // dx is the sum of the gradient and this buffer, which is as dx; else it is empty
};
class ConvWgrad final : public ConvOp {
 public:
  ConvWgrad(DType type, const ConvGeometry& g, Precision operands = Precision::kF32)
      : ConvOp(type, g, operands) {}
  static constexpr std::string_view kName = "conv_wgrad";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override;  // x, dy -> dw
  double sum_length() const override;
};

}  // namespace umbra
