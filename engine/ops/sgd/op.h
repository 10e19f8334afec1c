// Stochastic gradient descent with momentum, PyTorch's formula (dampening 0):
//   g <- g + weight_decay p;   v <- momentum v + g;   p <- p - lr v        (v starts at 0; without momentum v
//   is not touched)
// for every element of several tensors, each with buffers p, g, v, image (v empty without momentum). The last
// buffer, scalars, holds [lr]. Where a part's gradient is absent its buffer g is empty and every g counts as
// zero, and where it has an image that becomes the new p, rounded to bfloat16 (as in ops/adam).
#pragma once

#include <utility>

#include "engine/ops/op.h"
#include "engine/ops/parts.h"

namespace umbra {

class SgdStep final : public Op {
 public:
  static constexpr std::size_t kBuffers = 4;  // of a part
  SgdStep(DType type, Parts parts_, double momentum_, double weight_decay_)
      : Op(type), parts(std::move(parts_)), momentum(momentum_), weight_decay(weight_decay_) {}
  SgdStep(DType type, std::int64_t count, double momentum_, double weight_decay_,
          bool gradient_absent = false, bool image = false)
      : SgdStep(type, Parts{{count, gradient_absent, image}}, momentum_, weight_decay_) {}
  std::string_view name() const override { return "sgd_step"; }
  std::string text() const override {
    return concat(text_of(parts), " momentum", momentum, " decay", weight_decay);
  }
  std::vector<BufferSpec> buffers() const override {
    std::vector<BufferSpec> specs;
    for (const Part& part : parts) {
      specs.push_back({"p", dtype, part.count, Access::kInOut});
      specs.push_back({"g", dtype, part.gradient_absent ? 0 : part.count, Access::kIn});
      specs.push_back({"v", dtype, momentum != 0 ? part.count : 0, Access::kInOut});
      specs.push_back({"image", DType::kBf16, part.image ? part.count : 0, Access::kOut});
    }
    specs.push_back({"scalars", DType::kF64, 1, Access::kIn, Fill::kPositive});
    return specs;
  }
  double flops() const override { return 4 * static_cast<double>(total_count(parts)); }

  Parts parts;
  double momentum;
  double weight_decay;
};

}  // namespace umbra
