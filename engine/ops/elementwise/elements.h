// Shared by the ops on `count` numbers: y[i] = f(x0[i], x1[i], …) for every i.
//
// Such an op is a function of its elements, written once as a functor that is a template on the scalar: the
// reference calls it on float, double and dual numbers, the CUDA rungs (cuda_elements.h) on float.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/kernel.h"

namespace umbra {

class ElementwiseOp : public Op {
 public:
  ElementwiseOp(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string text() const override { return concat("n", count); }
  double flops() const override { return static_cast<double>(count); }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

/// y[i] = f(x[i]…) for i in [0, count); y may be one of the inputs.
template <class T, class F, class... In>
void apply_to_each(const F& f, std::int64_t count, T* y, const In*... x) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = f(x[i]...);
}

}  // namespace umbra
