// Rectified linear unit:  y = x > 0 ? x : 0  (NaN stays NaN), and its adjoint  dx = y > 0 ? dy : 0,  which
// needs the output only.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class ReluForward final : public Op {
 public:
  ReluForward(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string_view name() const override { return "relu_forward"; }
  std::string text() const override { return concat("n", count); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(count); }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

class ReluBackward final : public Op {
 public:
  ReluBackward(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string_view name() const override { return "relu_backward"; }
  std::string text() const override { return concat("n", count); }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, count, Access::kIn},
            {"y", dtype, count, Access::kIn},
            {"dx", dtype, count, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(count); }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

}  // namespace umbra
