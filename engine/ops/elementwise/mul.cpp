// The elementwise product: its definition, and cpu_1_simd, one vector at a time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/mul.cpp"
#include "engine/ops/elementwise/mul.h"

#include "engine/cpu/simd.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void mul_range(const float* a, const float* b, float* y, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(mul_range);

void run(const Mul& op, Buffers buffers, void*, Stream&) {
  const float* a = buffers.in(0);
  const float* b = buffers.in(1);
  float* y = buffers.out(2);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(mul_range)(a + begin, b + begin, y + begin, end - begin);
  });
}

}  // namespace

Ladder mul_definition() {
  return define_op<Mul, mul_reference<float>, mul_reference<double>>(problems_of_counts<Mul>);
}
Kernel mul_cpu_1_simd() {
  return make_kernel<Mul, run>();
}

}  // namespace umbra
#endif
