// Rectified linear unit:  y = x > 0 ? x : 0  (NaN stays NaN), and its adjoint  dx = y > 0 ? dy : 0,  which
// needs the output only.
#pragma once

#include "engine/ops/elementwise/elements.h"

namespace umbra {

class ReluForward final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "relu_forward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
};

class ReluBackward final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "relu_backward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, count, Access::kIn},
            {"y", dtype, count, Access::kIn},
            {"dx", dtype, count, Access::kOut}};
  }
};

struct Relu {
  template <class T>
  constexpr T operator()(T x) const {
    return x <= T(0) ? T(0) : x;  // a NaN stays a NaN
  }
};
struct ReluGate {
  template <class T>
  constexpr T operator()(T dy, T y) const {
    return y > T(0) ? dy : T(0);
  }
};

template <class T>
void relu_forward_reference(const ReluForward& op, Buffers b, void*, Stream&) {
  apply_to_each(Relu(), op.count, b.out<T>(1), b.in<T>(0));
}
template <class T>
void relu_backward_reference(const ReluBackward& op, Buffers b, void*, Stream&) {
  apply_to_each(ReluGate(), op.count, b.out<T>(2), b.in<T>(0), b.in<T>(1));
}

}  // namespace umbra
