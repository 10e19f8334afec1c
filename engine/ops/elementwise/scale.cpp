// Scaling and setting a buffer: their definitions, and cpu_1_simd, one vector at a time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/scale.cpp"
#include "engine/ops/elementwise/scale.h"

#include "engine/cpu/simd.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void scale_range(float factor, float* x, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::Set(d, factor), hn::LoadU(d, x + i)), d, x + i);
  });
}

void set_value_range(float value, float* x, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(hn::Set(d, value), d, x + i); });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(scale_range);
HWY_EXPORT(set_value_range);

void scale(const Scale& op, Buffers buffers, void*, Stream&) {
  float* x = buffers.out(0);
  const float factor = *buffers.in(1);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(scale_range)(factor, x + begin, end - begin);
  });
}

void set_value(const SetValue& op, Buffers buffers, void*, Stream&) {
  float* x = buffers.out(0);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(set_value_range)(static_cast<float>(op.value), x + begin, end - begin);
  });
}

Problems set_value_problems(DType dtype) {
  return problems_of_counts<SetValue>(dtype, 3.0);
}

}  // namespace

Ladder scale_definition() {
  return define_op<Scale, scale_reference<float>, scale_reference<double>>(problems_of_counts<Scale>);
}
Ladder set_value_definition() {
  return define_op<SetValue, set_value_reference<float>, set_value_reference<double>>(set_value_problems);
}
Kernel scale_cpu_1_simd() {
  return make_kernel<Scale, scale>();
}
Kernel set_value_cpu_1_simd() {
  return make_kernel<SetValue, set_value>();
}

}  // namespace umbra
#endif
