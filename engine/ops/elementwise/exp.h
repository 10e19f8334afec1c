// The exponential  y = exp(x).  Its adjoint  dx = dy y  is the op mul. A NaN stays a NaN.
#pragma once

#include <cmath>

#include "engine/ops/elementwise/elements.h"

namespace umbra {

class Exp final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "exp";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  bool exact_on_integers() const override { return false; }
};

struct Exponential {
  template <class T>
  constexpr T operator()(T x) const {
    using std::exp;
    return exp(x);
  }
};

template <class T>
void exp_reference(const Exp& op, Buffers b, void*, Stream&) {
  apply_to_each(Exponential(), op.count, b.out<T>(1), b.in<T>(0));
}

}  // namespace umbra
