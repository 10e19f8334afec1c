// exp: its definition, and cpu_1_simd, one vector at a time. Highway's exponential is within one unit in the
// last place up to 104, and exp(104) already is infinite in f32; it returns 0 for a NaN, so NaNs are handled
// separately.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/exp.cpp"
#include "engine/ops/elementwise/exp.h"

#include "engine/cpu/simd_math.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void exp_range(const float* x, float* y, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i);
    const auto power = hn::Exp(d, hn::Min(v, hn::Set(d, 104.0f)));
    hn::StoreU(hn::IfThenElse(hn::IsNaN(v), v, power), d, y + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(exp_range);

void run(const Exp& op, Buffers b, void*, Stream&) {
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(exp_range)(b.in(0) + begin, b.out(1) + begin, end - begin);
  });
}

}  // namespace

Ladder exp_definition() {
  return define_op<Exp, exp_reference<float>, exp_reference<double>>(problems_of_counts<Exp>);
}
Kernel exp_cpu_1_simd() {
  return make_kernel<Exp, run>();
}

}  // namespace umbra
#endif
