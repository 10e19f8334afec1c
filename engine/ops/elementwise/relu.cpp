// relu: its definition, and cpu_1_simd, one vector at a time. x <= 0 is false for a NaN, which therefore
// stays a NaN.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/relu.cpp"
#include "engine/ops/elementwise/relu.h"

#include "engine/cpu/simd.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void relu_forward_range(const float* x, float* y, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i);
    hn::StoreU(hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), v), d, y + i);
  });
}

void relu_backward_range(const float* dy, const float* y, float* dx, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto passes = hn::Gt(hn::LoadU(d, y + i), hn::Zero(d));
    hn::StoreU(hn::IfThenElseZero(passes, hn::LoadU(d, dy + i)), d, dx + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(relu_forward_range);
HWY_EXPORT(relu_backward_range);

void forward(const ReluForward& op, Buffers b, void*, Stream&) {
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(relu_forward_range)(b.in(0) + begin, b.out(1) + begin, end - begin);
  });
}

void backward(const ReluBackward& op, Buffers b, void*, Stream&) {
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(relu_backward_range)
    (b.in(0) + begin, b.in(1) + begin, b.out(2) + begin, end - begin);
  });
}

}  // namespace

Ladder relu_forward_definition() {
  return define_op<ReluForward, relu_forward_reference<float>, relu_forward_reference<double>>(
      problems_of_counts<ReluForward>);
}
Ladder relu_backward_definition() {
  return define_op<ReluBackward, relu_backward_reference<float>, relu_backward_reference<double>>(
      problems_of_counts<ReluBackward>);
}
Kernel relu_forward_cpu_1_simd() {
  return make_kernel<ReluForward, forward>();
}
Kernel relu_backward_cpu_1_simd() {
  return make_kernel<ReluBackward, backward>();
}

}  // namespace umbra
#endif
