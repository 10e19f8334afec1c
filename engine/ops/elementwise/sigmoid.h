// The logistic sigmoid  y = 1 / (1 + exp(-x))  and its adjoint  dx = dy y (1 - y),  which needs the output
// only. Computed with exp(-|x|), which never overflows: for negative x it is  exp(x) / (1 + exp(x)). A NaN
// stays a NaN.
#pragma once

#include <cmath>

#include "engine/ops/elementwise/elements.h"

namespace umbra {

class SigmoidForward final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "sigmoid_forward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  bool exact_on_integers() const override { return false; }
};

class SigmoidBackward final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "sigmoid_backward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, count, Access::kIn},
            {"y", dtype, count, Access::kIn},
            {"dx", dtype, count, Access::kOut}};
  }
  double flops() const override { return 3 * static_cast<double>(count); }
};

struct LogisticSigmoid {
  template <class T>
  constexpr T operator()(T x) const {
    using std::exp;
    const bool negative = x < T(0);
    const T power = exp(negative ? x : -x);  // exp(-|x|)
    return (negative ? power : T(1)) / (T(1) + power);
  }
};
struct SigmoidGradient {
  template <class T>
  constexpr T operator()(T dy, T y) const {
    return dy * y * (T(1) - y);
  }
};

template <class T>
void sigmoid_forward_reference(const SigmoidForward& op, Buffers b, void*, Stream&) {
  apply_to_each(LogisticSigmoid(), op.count, b.out<T>(1), b.in<T>(0));
}
template <class T>
void sigmoid_backward_reference(const SigmoidBackward& op, Buffers b, void*, Stream&) {
  apply_to_each(SigmoidGradient(), op.count, b.out<T>(2), b.in<T>(0), b.in<T>(1));
}

}  // namespace umbra
