// Elementwise product  y = a * b.  The gradient of either factor is the same op on dy and the other factor.
#pragma once

#include "engine/ops/elementwise/elements.h"

namespace umbra {

class Mul final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "mul";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"a", dtype, count, Access::kIn},
            {"b", dtype, count, Access::kIn},
            {"y", dtype, count, Access::kOut}};
  }
};

struct ProductOfTwo {
  template <class T>
  constexpr T operator()(T a, T b) const {
    return a * b;
  }
};

template <class T>
void mul_reference(const Mul& op, Buffers b, void*, Stream&) {
  apply_to_each(ProductOfTwo(), op.count, b.out<T>(2), b.in<T>(0), b.in<T>(1));
}

}  // namespace umbra
