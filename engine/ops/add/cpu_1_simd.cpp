// The elementwise sum, one vector at a time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/add/cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/add/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/simd_loops.h"

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

HWY_EXPORT(add_range);

void add_simd(const Add& op, Buffers buffers, void*, Stream&) {
  const float* a = static_cast<const float*>(buffers[0]);
  const float* b = static_cast<const float*>(buffers[1]);
  float* y = static_cast<float*>(buffers[2]);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(add_range)(a + begin, b + begin, y + begin, end - begin);
  });
}

}  // namespace umbra
#endif
