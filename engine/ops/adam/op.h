// Adam (Kingma & Ba 2014) and AdamW (Loshchilov & Hutter 2017), PyTorch's formulas and order of operations:
//   Adam with decay:   g <- g + weight_decay p
//   AdamW (decoupled): p <- p (1 - lr weight_decay)
//   m <- m + (1 - beta1)(g - m) in PyTorch >= 2; here  m <- beta1 m + (1 - beta1) g  as in 1.13, equal up to
//   rounding v <- beta2 v + (1 - beta2) g^2 p <- p - (lr / bc1) m / (sqrt(v) / sqrt(bc2) + epsilon),   bc1 =
//   1 - beta1^step, bc2 = 1 - beta2^step
// scalars holds [lr, bc1, bc2], computed by the caller in double.
// With gradient_absent the buffer g is empty and every g counts as zero: weights that never touch data, which
// only weight decay and what is left in their moments move.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class AdamStep final : public Op {
 public:
  AdamStep(DType type, std::int64_t count_, double beta1_, double beta2_, double epsilon_,
           double weight_decay_, bool decoupled_, bool gradient_absent_ = false)
      : Op(type),
        count(count_),
        beta1(beta1_),
        beta2(beta2_),
        epsilon(epsilon_),
        weight_decay(weight_decay_),
        decoupled(decoupled_),
        gradient_absent(gradient_absent_) {}
  std::string_view name() const override { return "adam_step"; }
  std::string text() const override {
    return concat("n", count, decoupled ? " adamw" : " adam", " decay", weight_decay,
                  gradient_absent ? " no gradient" : "");
  }
  std::vector<BufferSpec> buffers() const override {
    return {{"p", dtype, count, Access::kInOut},
            {"g", dtype, gradient_absent ? 0 : count, Access::kIn},
            {"m", dtype, count, Access::kInOut},
            {"v", dtype, count, Access::kInOut, Fill::kPositive},
            {"scalars", DType::kF64, 3, Access::kIn, Fill::kPositive}};
  }
  double flops() const override { return 12 * static_cast<double>(count); }

  std::int64_t count;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  bool decoupled;
  bool gradient_absent;
};

}  // namespace umbra
