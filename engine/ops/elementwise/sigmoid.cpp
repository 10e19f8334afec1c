// sigmoid: its definition, and cpu_1_simd, one vector at a time. Highway's exponential is within one unit
// in the last place; it returns 0 for a NaN, so NaNs are handled separately.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/sigmoid.cpp"
#include "engine/ops/elementwise/sigmoid.h"

#include "engine/cpu/simd_math.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void sigmoid_forward_range(const float* x, float* y, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i), one = hn::Set(d, 1.0f);
    const auto power = hn::Exp(d, hn::Neg(hn::Abs(v)));
    const auto numerator = hn::IfThenElse(hn::Lt(v, hn::Zero(d)), power, one);
    const auto result = hn::Div(numerator, hn::Add(one, power));
    hn::StoreU(hn::IfThenElse(hn::IsNaN(v), v, result), d, y + i);
  });
}

void sigmoid_backward_range(const float* dy, const float* y, float* dx, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, y + i);
    const auto slope = hn::Sub(hn::Set(d, 1.0f), v);
    hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, dy + i), v), slope), d, dx + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(sigmoid_forward_range);
HWY_EXPORT(sigmoid_backward_range);

void forward(const SigmoidForward& op, Buffers b, void*, Stream&) {
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(sigmoid_forward_range)(b.in(0) + begin, b.out(1) + begin, end - begin);
  });
}

void backward(const SigmoidBackward& op, Buffers b, void*, Stream&) {
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(sigmoid_backward_range)
    (b.in(0) + begin, b.in(1) + begin, b.out(2) + begin, end - begin);
  });
}

}  // namespace

Ladder sigmoid_forward_definition() {
  return define_op<SigmoidForward, sigmoid_forward_reference<float>, sigmoid_forward_reference<double>>(
      problems_of_counts<SigmoidForward>);
}
Ladder sigmoid_backward_definition() {
  return define_op<SigmoidBackward, sigmoid_backward_reference<float>, sigmoid_backward_reference<double>>(
      problems_of_counts<SigmoidBackward>);
}
Kernel sigmoid_forward_cpu_1_simd() {
  return make_kernel<SigmoidForward, forward>();
}
Kernel sigmoid_backward_cpu_1_simd() {
  return make_kernel<SigmoidBackward, backward>();
}

}  // namespace umbra
#endif
