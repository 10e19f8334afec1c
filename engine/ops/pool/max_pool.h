// Max pooling in two or three dimensions with padding (which is never the maximum), on batch-last data
// [D, H, W, C, N]:
//
//   y[o, c, n] = max over taps t of x[o * stride - padding + t * dilation, c, n]
//
// argmax is the flat position of the maximum inside the volume [D, H, W]. Of equal values the first tap in
// memory order is chosen, and a NaN is chosen over every number (the last of several), as in PyTorch.
// Backward: dx[i, c, n] = sum of dy over the outputs that chose position i, which must be in their windows.
#pragma once

#include "engine/ops/pool/pool_geometry.h"

namespace umbra {

class MaxPoolForward final : public Op {
 public:
  MaxPoolForward(DType type, const PoolGeometry& g) : Op(type), geometry(g) {}
  static constexpr std::string_view kName = "max_pool_forward";
  std::string_view name() const override { return kName; }
  std::string text() const override { return geometry.text(); }
  std::vector<BufferSpec> buffers() const override;  // x -> y, argmax (i32)
  double flops() const override;                     // one comparison per tap
  bool exact_on_integers() const override { return true; }

  PoolGeometry geometry;
};

class MaxPoolBackward final : public Op {
 public:
  MaxPoolBackward(DType type, const PoolGeometry& g) : Op(type), geometry(g) {}
  static constexpr std::string_view kName = "max_pool_backward";
  std::string_view name() const override { return kName; }
  std::string text() const override { return geometry.text(); }
  std::vector<BufferSpec> buffers() const override;  // dy, argmax (i32) -> dx
  double flops() const override;
  double sum_length() const override;
  bool exact_on_integers() const override { return true; }

  PoolGeometry geometry;
};

}  // namespace umbra
