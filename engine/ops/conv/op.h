// Convolution (cross-correlation, as in every deep-learning library) in two or three dimensions, dilation 1,
// no bias:
//
//   y[n, k, o] = sum over c, t of  w[k, c, t] * x[n, c, o * stride - padding + t]      (x = 0 outside the
//   volume)
//
// and its two adjoints: dgrad gives dx from dy and w, wgrad gives dw from x and dy. A 2-D convolution is the
// 3-D one with extent, kernel and stride 1 and padding 0 on the first axis. Layout: NCDHW activations, [Cout,
// Cin, kD, kH, kW] weights, as PyTorch's.
#pragma once

#include "engine/ops/op.h"

namespace umbra {

struct ConvGeometry {
  std::int64_t batch = 1, in_channels = 1, out_channels = 1;
  Triple in{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0};

  std::int64_t out(int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    return (in[a] + 2 * padding[a] - kernel[a]) / stride[a] + 1;
  }
  Triple out() const { return {out(0), out(1), out(2)}; }
  std::int64_t in_volume() const { return in[0] * in[1] * in[2]; }
  std::int64_t out_volume() const { return out(0) * out(1) * out(2); }
  std::int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  /// (output position, tap) pairs that touch data: the useful work per channel pair and sample.
  std::int64_t live_pairs() const;
  /// Taps that touch data for at least one output position; the others ("dead") have zero gradient for ever.
  std::int64_t live_taps() const;
  /// Throws Error unless every extent is positive and the output is not empty.
  void check() const;
  std::string text() const;
};

class ConvOp : public Op {
 public:
  ConvOp(DType type, const ConvGeometry& g) : Op(type), geometry(g) {}
  std::string text() const override { return geometry.text(); }
  double flops() const override;  // 2 * batch * Cin * Cout * live pairs
  bool exact_on_integers() const override { return true; }
  ConvGeometry geometry;

 protected:
  BufferSpec x(std::string_view name, Access access) const;  // [N, Cin, D, H, W]
  BufferSpec w(std::string_view name, Access access) const;  // [Cout, Cin, kD, kH, kW]
  BufferSpec y(std::string_view name, Access access) const;  // [N, Cout, oD, oH, oW]
};

class ConvFprop final : public ConvOp {
 public:
  using ConvOp::ConvOp;
  std::string_view name() const override { return "conv_fprop"; }
  std::vector<BufferSpec> buffers() const override;  // x, w -> y
  double sum_length() const override;
};
class ConvDgrad final : public ConvOp {
 public:
  using ConvOp::ConvOp;
  std::string_view name() const override { return "conv_dgrad"; }
  std::vector<BufferSpec> buffers() const override;  // dy, w -> dx
  double sum_length() const override;
};
class ConvWgrad final : public ConvOp {
 public:
  using ConvOp::ConvOp;
  std::string_view name() const override { return "conv_wgrad"; }
  std::vector<BufferSpec> buffers() const override;  // x, dy -> dw (dead taps: exactly 0)
  double sum_length() const override;
};

}  // namespace umbra
