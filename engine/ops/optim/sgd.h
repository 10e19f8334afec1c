// Stochastic gradient descent with momentum, PyTorch's formula:
//   g <- g + weight_decay p;   v <- momentum v + share g;   p <- p - lr v
//   with Nesterov's momentum:                               p <- p - lr (g + momentum v)
// (v starts at 0; without momentum it is not touched) for every element of several tensors, each with
// buffers p, g, v, bf16_copy (v empty without momentum). The last buffer, scalars, holds [lr]. With
// dampening it also holds the tensors' shares, at TensorSpec::share_at: 1 in the first step of a tensor,
// whose v becomes the gradient itself, and 1 - dampening in all others; without dampening a share is 1.
// Where a tensor's gradient is absent its buffer g is empty and every g counts as zero. Where it has a bf16
// copy, the copy is set to the new p, rounded to bfloat16 (as in adam.h).
#pragma once

#include <algorithm>
#include <utility>

#include "engine/ops/op.h"
#include "engine/ops/optim/tensor_list.h"

namespace umbra {

struct SgdRule {
  double momentum = 0, weight_decay = 0;
  bool dampened = false;  // shares are read
  bool nesterov = false;
};

class SgdStep final : public Op {
 public:
  static constexpr std::size_t kBuffers = 4;  // of a tensor
  SgdStep(DType type, TensorList tensors_, const SgdRule& rule_)
      : Op(type), tensors(std::move(tensors_)), rule(rule_) {}
  SgdStep(DType type, TensorList tensors_, double momentum, double weight_decay)
      : SgdStep(type, std::move(tensors_), {.momentum = momentum, .weight_decay = weight_decay}) {}
  SgdStep(DType type, std::int64_t count, double momentum, double weight_decay, bool gradient_absent = false,
          bool bf16_copy = false)
      : SgdStep(type, TensorList{{count, gradient_absent, bf16_copy}}, momentum, weight_decay) {}
  static constexpr std::string_view kName = "sgd_step";
  std::string_view name() const override { return kName; }
  std::string text() const override {
    return concat(text_of(tensors), " momentum", rule.momentum, " decay", rule.weight_decay,
                  rule.dampened ? " dampened" : "", rule.nesterov ? " nesterov" : "");
  }
  /// Numbers in the last buffer: lr and, with dampening, the shares.
  std::int64_t scalars() const {
    if (!rule.dampened) return 1;
    std::int64_t count = 1;
    for (const TensorSpec& tensor : tensors) count = std::max(count, tensor.share_at + 1);
    return count;
  }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs;
    for (const TensorSpec& tensor : tensors) {
      specs.push_back({"p", dtype, tensor.count, Access::kInOut});
      specs.push_back({"g", dtype, tensor.gradient_absent ? 0 : tensor.count, Access::kIn});
      specs.push_back({"v", dtype, rule.momentum != 0 ? tensor.count : 0, Access::kInOut});
      specs.push_back({"bf16_copy", DType::kBf16, tensor.bf16_copy ? tensor.count : 0, Access::kOut});
    }
    specs.push_back({"scalars", DType::kF64, scalars(), Access::kIn, Fill::kPositive});
    return specs;
  }
  double flops() const override {
    return (4 + rule.dampened + 2 * rule.nesterov) * static_cast<double>(total_count(tensors));
  }

  TensorList tensors;
  SgdRule rule;
};

}  // namespace umbra
