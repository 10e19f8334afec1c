// The elementwise sum: its definition, and cpu_1_simd, one vector at a time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/add.cpp"
#include "engine/ops/elementwise/add.h"

#include "engine/cpu/simd.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void add_range(const float* a, const float* b, float* y, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(add_range);

void run(const Add& op, Buffers buffers, void*, Stream&) {
  const float* a = buffers.in(0);
  const float* b = buffers.in(1);
  float* y = buffers.out(2);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(add_range)(a + begin, b + begin, y + begin, end - begin);
  });
}

}  // namespace

Ladder add_definition() {
  return define_op<Add, add_reference<float>, add_reference<double>>(problems_of_counts<Add>);
}
Kernel add_cpu_1_simd() {
  return make_kernel<Add, run>();
}

}  // namespace umbra
#endif
