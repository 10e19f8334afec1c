// Adam (Kingma & Ba 2014) and AdamW (Loshchilov & Hutter 2017), PyTorch's formulas and order of operations:
//   Adam with decay:   g <- g + weight_decay p
//   AdamW (decoupled): p <- p (1 - lr weight_decay)
//   m <- beta1 m + (1 - beta1) g     as in 1.13; m + (1 - beta1)(g - m) since 2.0, equal up to rounding
//   v <- beta2 v + (1 - beta2) g^2
//   p <- p - (lr / bc1) m / (sqrt(v) / sqrt(bc2) + epsilon),   bc1 = 1 - beta1^step, bc2 = 1 - beta2^step
// for every element of several tensors, each with buffers p, g, m, v, bf16_copy. The last buffer, scalars,
// holds [-lr / bc1, sqrt(bc2), 1 - lr weight_decay], computed by the caller in double. They are in memory so
// that a CUDA graph of the step can be launched again for the next one. Where a tensor's gradient is absent
// its buffer g is empty and every g counts as zero: such weights never touch data, and only weight decay and
// the remaining moments change them. Where a tensor has a bf16 copy, the copy is set to the new p, rounded to
// bfloat16 (nearest, ties to even); elsewhere its buffer is empty.
#pragma once

#include <array>
#include <cmath>
#include <utility>

#include "engine/ops/op.h"
#include "engine/ops/optim/tensor_list.h"

namespace umbra {

struct AdamRule {
  double beta1, beta2, epsilon, weight_decay;
  bool decoupled;
};

/// The op's buffer `scalars` for a step, counted from 1.
inline std::array<double, 3> adam_step_scalars(const AdamRule& rule, double lr, std::int64_t step) {
  const auto n = static_cast<double>(step);
  const double bc1 = 1 - std::pow(rule.beta1, n), bc2 = 1 - std::pow(rule.beta2, n);
  return {-(lr / bc1), std::sqrt(bc2), 1 - lr * rule.weight_decay};
}

class AdamStep final : public Op {
 public:
  static constexpr std::size_t kBuffers = 5;  // of a tensor
  AdamStep(DType type, TensorList tensors_, const AdamRule& rule_)
      : Op(type), tensors(std::move(tensors_)), rule(rule_) {}
  AdamStep(DType type, std::int64_t count, double beta1, double beta2, double epsilon, double weight_decay,
           bool decoupled, bool gradient_absent = false, bool bf16_copy = false)
      : AdamStep(type, TensorList{{count, gradient_absent, bf16_copy}},
                 {beta1, beta2, epsilon, weight_decay, decoupled}) {}
  static constexpr std::string_view kName = "adam_step";
  std::string_view name() const override { return kName; }
  std::string text() const override {
    return concat(text_of(tensors), rule.decoupled ? " adamw" : " adam", " decay", rule.weight_decay);
  }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs;
    for (const TensorSpec& tensor : tensors) {
      specs.push_back({"p", dtype, tensor.count, Access::kInOut});
      specs.push_back({"g", dtype, tensor.gradient_absent ? 0 : tensor.count, Access::kIn});
      specs.push_back({"m", dtype, tensor.count, Access::kInOut});
      specs.push_back({"v", dtype, tensor.count, Access::kInOut, Fill::kPositive});
      specs.push_back({"bf16_copy", DType::kBf16, tensor.bf16_copy ? tensor.count : 0, Access::kOut});
    }
    specs.push_back({"scalars", DType::kF64, 3, Access::kIn, Fill::kPositive});
    return specs;
  }
  double flops() const override { return 12 * static_cast<double>(total_count(tensors)); }

  TensorList tensors;
  AdamRule rule;
};

}  // namespace umbra
