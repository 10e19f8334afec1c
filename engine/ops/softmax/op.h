// Softmax along one axis of a row-major tensor, seen as [outer, K, inner], and its logarithm (`log`); a row
// is the K numbers of one (outer, inner):
//   softmax       y = exp(x) / sum over k of exp(x)           dx = y (dy - sum over k of dy y)
//   log softmax   y = x - log(sum over k of exp(x))           dx = dy - exp(y) (sum over k of dy)
// The row's maximum is subtracted before any exponential, and both gradients need the output only. A row
// that contains a NaN or +infinity, or only -infinity, becomes NaN as a whole, as in PyTorch.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class SoftmaxOp : public Op {
 public:
  SoftmaxOp(DType type, std::int64_t outer_, std::int64_t extent_, std::int64_t inner_, bool log_)
      : Op(type), outer(outer_), extent(extent_), inner(inner_), log(log_) {}
  std::string text() const override {
    return concat("o", outer, " k", extent, " i", inner, log ? " log" : "");
  }
  std::int64_t rows() const { return outer * inner; }
  std::int64_t count() const { return outer * extent * inner; }
  /// The offset of the first number of a row; the others follow, `inner` apart.
  std::int64_t first(std::int64_t row) const { return row / inner * extent * inner + row % inner; }
  double flops() const override { return 4 * static_cast<double>(count()); }
  double sum_length() const override { return static_cast<double>(extent); }

  std::int64_t outer, extent, inner;
  bool log;
};

class SoftmaxForward final : public SoftmaxOp {
 public:
  using SoftmaxOp::SoftmaxOp;
  static constexpr std::string_view kName = "softmax_forward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count(), Access::kIn}, {"y", dtype, count(), Access::kOut}};
  }
};

class SoftmaxBackward final : public SoftmaxOp {
 public:
  using SoftmaxOp::SoftmaxOp;
  static constexpr std::string_view kName = "softmax_backward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, count(), Access::kIn},
            {"y", dtype, count(), Access::kIn},
            {"dx", dtype, count(), Access::kOut}};
  }
  bool exact_on_integers() const override { return !log; }
};

}  // namespace umbra
