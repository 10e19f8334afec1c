// Stochastic gradient descent with momentum, PyTorch's formula (dampening 0):
//   g <- g + weight_decay p;   v <- momentum v + g;   p <- p - lr v        (v starts at 0; without momentum v
//   is not touched)
// scalars holds [lr]. With gradient_absent the buffer g is empty and every g counts as zero (as in ops/adam).
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class SgdStep final : public Op {
 public:
  SgdStep(DType type, std::int64_t count_, double momentum_, double weight_decay_,
          bool gradient_absent_ = false)
      : Op(type),
        count(count_),
        momentum(momentum_),
        weight_decay(weight_decay_),
        gradient_absent(gradient_absent_) {}
  std::string_view name() const override { return "sgd_step"; }
  std::string text() const override {
    return concat("n", count, " momentum", momentum, " decay", weight_decay,
                  gradient_absent ? " no gradient" : "");
  }
  std::vector<BufferSpec> buffers() const override {
    return {{"p", dtype, count, Access::kInOut},
            {"g", dtype, gradient_absent ? 0 : count, Access::kIn},
            {"v", dtype, momentum != 0 ? count : 0, Access::kInOut},
            {"scalars", DType::kF64, 1, Access::kIn, Fill::kPositive}};
  }
  double flops() const override { return 4 * static_cast<double>(count); }

  std::int64_t count;
  double momentum;
  double weight_decay;
  bool gradient_absent;
};

}  // namespace umbra
