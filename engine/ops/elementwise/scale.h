// Multiplication by one number read from memory,  x <- factor x  (gradient clipping, the chain rule of a
// loss), and setting a buffer to one value,  x <- value.
#pragma once

#include "engine/ops/elementwise/elements.h"

namespace umbra {

class Scale final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "scale";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kInOut}, {"factor", dtype, 1, Access::kIn}};
  }
};

class SetValue final : public ElementwiseOp {
 public:
  SetValue(DType type, std::int64_t count_, double value_) : ElementwiseOp(type, count_), value(value_) {}
  static constexpr std::string_view kName = "set_value";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", count, " value", value); }
  std::vector<BufferSpec> buffers() const override { return {{"x", dtype, count, Access::kOut}}; }
  double flops() const override { return 0; }

  double value;
};

/// The factor stays in memory: a GPU reads it directly, so that nothing waits for the host.
template <class T>
struct ScaledBy {
  const T* factor;
  constexpr T operator()(T x) const { return *factor * x; }
};
template <class T>
struct Always {
  T value;
  constexpr T operator()() const { return value; }
};

template <class T>
void scale_reference(const Scale& op, Buffers b, void*, Stream&) {
  apply_to_each(ScaledBy<T>{b.in<T>(1)}, op.count, b.out<T>(0), b.in<T>(0));
}
template <class T>
void set_value_reference(const SetValue& op, Buffers b, void*, Stream&) {
  apply_to_each(Always<T>{T(op.value)}, op.count, b.out<T>(0));
}

}  // namespace umbra
