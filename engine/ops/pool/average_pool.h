// Average pooling over windows in two or three dimensions, on batch-last data [D, H, W, C, N]:
//
//   y[o, c, n] = 1 / S(o) sum over taps t of x[o * stride - padding + t, c, n]        (x = 0 outside)
//
// and its adjoint  dx[i, c, n] = sum of dy[o, c, n] / S(o) over the outputs o whose windows contain i. S(o)
// is the number of taps in the padded input (count_padding) or in the input itself, as in PyTorch's
// AvgPool2d and AvgPool3d; taps past the end of the padded input (ceil) never count. Windows have no
// dilation.
#pragma once

#include <algorithm>

#include "engine/ops/pool/pool_geometry.h"

namespace umbra {

class AveragePoolOp : public Op {
 public:
  /// Throws Error where the geometry has a dilation.
  AveragePoolOp(DType type, const PoolGeometry& g, bool count_padding_ = true);
  std::string text() const override;  // the geometry's, then " count_padding=off"
  double flops() const override;      // one addition per tap

  /// The number of taps of window o that count on `axis`; S is the product over the axes.
  std::int64_t counted(std::int64_t o, int axis) const {
    const PoolRange inside = pool_range(geometry, o, axis);
    if (!count_padding) return inside.end - inside.begin;
    const auto a = static_cast<std::size_t>(axis);
    const std::int64_t start = o * geometry.stride[a];  // in the padded input
    return std::min(geometry.kernel[a], geometry.in[a] + 2 * geometry.padding[a] - start);
  }

  PoolGeometry geometry;
  bool count_padding;
};

class AveragePoolForward final : public AveragePoolOp {
 public:
  using AveragePoolOp::AveragePoolOp;
  static constexpr std::string_view kName = "average_pool_forward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override;  // x -> y
  double sum_length() const override;
};

class AveragePoolBackward final : public AveragePoolOp {
 public:
  using AveragePoolOp::AveragePoolOp;
  static constexpr std::string_view kName = "average_pool_backward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override;  // dy -> dx
  double sum_length() const override;
};

}  // namespace umbra
