// Stochastic gradient descent with momentum, PyTorch's formula (dampening 0):
//   g <- g + weight_decay p;   v <- momentum v + g;   p <- p - lr v
// (v starts at 0; without momentum it is not touched) for every element of several tensors, each with buffers
// p, g, v, bf16_copy (v empty without momentum). The last buffer, scalars, holds [lr]. Where a tensor's
// gradient is absent its buffer g is empty and every g counts as zero, and where it has a bf16 copy that
// becomes the new p, rounded to bfloat16 (as in adam.h).
#pragma once

#include <utility>

#include "engine/ops/op.h"
#include "engine/ops/optim/tensor_list.h"

namespace umbra {

class SgdStep final : public Op {
 public:
  static constexpr std::size_t kBuffers = 4;  // of a tensor
  SgdStep(DType type, TensorList tensors_, double momentum_, double weight_decay_)
      : Op(type), tensors(std::move(tensors_)), momentum(momentum_), weight_decay(weight_decay_) {}
  SgdStep(DType type, std::int64_t count, double momentum_, double weight_decay_,
          bool gradient_absent = false, bool bf16_copy = false)
      : SgdStep(type, TensorList{{count, gradient_absent, bf16_copy}}, momentum_, weight_decay_) {}
  static constexpr std::string_view kName = "sgd_step";
  std::string_view name() const override { return kName; }
  std::string text() const override {
    return concat(text_of(tensors), " momentum", momentum, " decay", weight_decay);
  }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs;
    for (const TensorSpec& tensor : tensors) {
      specs.push_back({"p", dtype, tensor.count, Access::kInOut});
      specs.push_back({"g", dtype, tensor.gradient_absent ? 0 : tensor.count, Access::kIn});
      specs.push_back({"v", dtype, momentum != 0 ? tensor.count : 0, Access::kInOut});
      specs.push_back({"bf16_copy", DType::kBf16, tensor.bf16_copy ? tensor.count : 0, Access::kOut});
    }
    specs.push_back({"scalars", DType::kF64, 1, Access::kIn, Fill::kPositive});
    return specs;
  }
  double flops() const override { return 4 * static_cast<double>(total_count(tensors)); }

  TensorList tensors;
  double momentum;
  double weight_decay;
};

}  // namespace umbra
