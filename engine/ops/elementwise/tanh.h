// The hyperbolic tangent  y = tanh(x)  and its adjoint  dx = dy (1 - y^2),  which needs the output only. A
// NaN stays a NaN.
#pragma once

#include <cmath>

#include "engine/ops/elementwise/elements.h"

namespace umbra {

class TanhForward final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "tanh_forward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  bool exact_on_integers() const override { return false; }
};

class TanhBackward final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "tanh_backward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, count, Access::kIn},
            {"y", dtype, count, Access::kIn},
            {"dx", dtype, count, Access::kOut}};
  }
  double flops() const override { return 3 * static_cast<double>(count); }
};

struct HyperbolicTangent {
  template <class T>
  constexpr T operator()(T x) const {
    using std::tanh;
    return tanh(x);
  }
};
struct TanhGradient {
  template <class T>
  constexpr T operator()(T dy, T y) const {
    return dy * (T(1) - y * y);
  }
};

template <class T>
void tanh_forward_reference(const TanhForward& op, Buffers b, void*, Stream&) {
  apply_to_each(HyperbolicTangent(), op.count, b.out<T>(1), b.in<T>(0));
}
template <class T>
void tanh_backward_reference(const TanhBackward& op, Buffers b, void*, Stream&) {
  apply_to_each(TanhGradient(), op.count, b.out<T>(2), b.in<T>(0), b.in<T>(1));
}

}  // namespace umbra
