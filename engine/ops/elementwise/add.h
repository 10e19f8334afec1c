// Elementwise sum  y = a + b  (the residual connection; the accumulation of gradients).
#pragma once

#include "engine/ops/elementwise/elements.h"

namespace umbra {

class Add final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "add";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"a", dtype, count, Access::kIn},
            {"b", dtype, count, Access::kIn},
            {"y", dtype, count, Access::kOut}};
  }
};

struct SumOfTwo {
  template <class T>
  constexpr T operator()(T a, T b) const {
    return a + b;
  }
};

template <class T>
void add_reference(const Add& op, Buffers b, void*, Stream&) {
  apply_to_each(SumOfTwo(), op.count, b.out<T>(2), b.in<T>(0), b.in<T>(1));
}

}  // namespace umbra
