// tanh: its definition, and cpu_1_simd, one vector at a time. Highway's tanh is within four units in the
// last place, and a NaN stays a NaN.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/tanh.cpp"
#include "engine/ops/elementwise/tanh.h"

#include "engine/cpu/simd_math.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void tanh_forward_range(const float* x, float* y, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i)
                              HWY_ATTR { hn::StoreU(hn::Tanh(d, hn::LoadU(d, x + i)), d, y + i); });
}

void tanh_backward_range(const float* dy, const float* y, float* dx, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, y + i);
    const auto slope = hn::Sub(hn::Set(d, 1.0f), hn::Mul(v, v));
    hn::StoreU(hn::Mul(hn::LoadU(d, dy + i), slope), d, dx + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(tanh_forward_range);
HWY_EXPORT(tanh_backward_range);

void forward(const TanhForward& op, Buffers b, void*, Stream&) {
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(tanh_forward_range)(b.in(0) + begin, b.out(1) + begin, end - begin);
  });
}

void backward(const TanhBackward& op, Buffers b, void*, Stream&) {
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(tanh_backward_range)
    (b.in(0) + begin, b.in(1) + begin, b.out(2) + begin, end - begin);
  });
}

}  // namespace

Ladder tanh_forward_definition() {
  return define_op<TanhForward, tanh_forward_reference<float>, tanh_forward_reference<double>>(
      problems_of_counts<TanhForward>);
}
Ladder tanh_backward_definition() {
  return define_op<TanhBackward, tanh_backward_reference<float>, tanh_backward_reference<double>>(
      problems_of_counts<TanhBackward>);
}
Kernel tanh_forward_cpu_1_simd() {
  return make_kernel<TanhForward, forward>();
}
Kernel tanh_backward_cpu_1_simd() {
  return make_kernel<TanhBackward, backward>();
}

}  // namespace umbra
#endif
