// Clipping of gradients by their common norm, in two ops over several tensors x0, x1, …, neither of which
// needs the host in between:
//   gradient_norm  norm = sqrt(sum over all elements of all tensors of x^2), in double;
//                  factor = max_norm / (norm + 1e-6) where that is below 1, else 1 (PyTorch's
//                  clip_grad_norm_); 1 as well when max_norm <= 0 or the norm is not finite
//   clip           x <- factor x; nothing is touched when factor is 1
#pragma once

#include <limits>
#include <utility>

#include "engine/ops/op.h"
#include "engine/ops/parts.h"

namespace umbra {

class GradientNorm final : public Op {
 public:
  GradientNorm(DType type, Parts parts_, double max_norm_)
      : Op(type), parts(std::move(parts_)), max_norm(max_norm_) {}
  GradientNorm(DType type, std::int64_t count, double max_norm_)
      : GradientNorm(type, Parts{{count}}, max_norm_) {}
  std::string_view name() const override { return "gradient_norm"; }
  std::string text() const override { return concat(text_of(parts), " max", max_norm); }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs;
    for (const Part& part : parts) specs.push_back({"x", dtype, part.count, Access::kIn});
    specs.push_back({"norm", DType::kF64, 1, Access::kOut});
    specs.push_back({"factor", dtype, 1, Access::kOut});
    return specs;
  }
  double flops() const override { return 2 * static_cast<double>(total_count(parts)); }
  double sum_length() const override { return static_cast<double>(total_count(parts)); }

  Parts parts;
  double max_norm;
};

class Clip final : public Op {
 public:
  Clip(DType type, Parts parts_) : Op(type), parts(std::move(parts_)) {}
  Clip(DType type, std::int64_t count) : Clip(type, Parts{{count}}) {}
  std::string_view name() const override { return "clip"; }
  std::string text() const override { return text_of(parts); }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs;
    for (const Part& part : parts) specs.push_back({"x", dtype, part.count, Access::kInOut});
    specs.push_back({"factor", dtype, 1, Access::kIn});
    return specs;
  }
  double flops() const override { return static_cast<double>(total_count(parts)); }
  bool exact_on_integers() const override { return true; }

  Parts parts;
};

/// What gradient_norm makes of a norm.
constexpr double clip_factor(double norm, double max_norm) {
  const bool finite = norm <= std::numeric_limits<double>::max();  // false for a NaN, too
  const double factor = max_norm / (norm + 1e-6);
  return max_norm > 0 && finite && factor < 1 ? factor : 1;
}

}  // namespace umbra
