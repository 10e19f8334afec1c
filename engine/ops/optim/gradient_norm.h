// Clipping of gradients by their common norm, in two ops over several tensors x0, x1, …, neither of which
// needs the host in between:
//   gradient_norm  norm = sqrt(sum over all elements of all tensors of x^2), in double;
//                  factor = max_norm / (norm + 1e-6) where that is below 1, else 1 (PyTorch's
//                  clip_grad_norm_); also 1 when max_norm <= 0 or the norm is not finite
//   clip           x <- factor x; nothing is written when factor is 1
#pragma once

#include <limits>
#include <utility>

#include "engine/ops/op.h"
#include "engine/ops/optim/tensor_list.h"

namespace umbra {

class GradientNorm final : public Op {
 public:
  GradientNorm(DType type, TensorList tensors_, double max_norm_)
      : Op(type), tensors(std::move(tensors_)), max_norm(max_norm_) {}
  GradientNorm(DType type, std::int64_t count, double max_norm_)
      : GradientNorm(type, TensorList{{count}}, max_norm_) {}
  static constexpr std::string_view kName = "gradient_norm";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat(text_of(tensors), " max", max_norm); }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs;
    for (const TensorSpec& tensor : tensors) specs.push_back({"x", dtype, tensor.count, Access::kIn});
    specs.push_back({"norm", DType::kF64, 1, Access::kOut});
    specs.push_back({"factor", dtype, 1, Access::kOut});
    return specs;
  }
  double flops() const override { return 2 * static_cast<double>(total_count(tensors)); }
  double sum_length() const override { return static_cast<double>(total_count(tensors)); }

  TensorList tensors;
  double max_norm;
};

class Clip final : public Op {
 public:
  Clip(DType type, TensorList tensors_) : Op(type), tensors(std::move(tensors_)) {}
  Clip(DType type, std::int64_t count) : Clip(type, TensorList{{count}}) {}
  static constexpr std::string_view kName = "clip";
  std::string_view name() const override { return kName; }
  std::string text() const override { return text_of(tensors); }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs;
    for (const TensorSpec& tensor : tensors) specs.push_back({"x", dtype, tensor.count, Access::kInOut});
    specs.push_back({"factor", dtype, 1, Access::kIn});
    return specs;
  }
  double flops() const override { return static_cast<double>(total_count(tensors)); }
  bool exact_on_integers() const override { return true; }

  TensorList tensors;
};

/// The factor that gradient_norm computes from a norm.
constexpr double clip_factor(double norm, double max_norm) {
  const bool finite = norm <= std::numeric_limits<double>::max();  // also false for a NaN
  const double factor = max_norm / (norm + 1e-6);
  return max_norm > 0 && finite && factor < 1 ? factor : 1;
}

}  // namespace umbra
