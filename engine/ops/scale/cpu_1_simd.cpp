// Scaling and setting a buffer, one vector at a time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/scale/cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/scale/op.h"
#include "engine/ops/simd_loops.h"

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

HWY_EXPORT(scale_range);
HWY_EXPORT(set_value_range);

void scale_simd(const Scale& op, Buffers buffers, void*, Stream&) {
  float* x = static_cast<float*>(buffers[0]);
  const float factor = *static_cast<const float*>(buffers[1]);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(scale_range)(factor, x + begin, end - begin);
  });
}

void set_value_simd(const SetValue& op, Buffers buffers, void*, Stream&) {
  float* x = static_cast<float*>(buffers[0]);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(set_value_range)(static_cast<float>(op.value), x + begin, end - begin);
  });
}

}  // namespace umbra
#endif
