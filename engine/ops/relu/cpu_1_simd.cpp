// relu, one vector at a time. x <= 0 is false for a NaN, which therefore passes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/relu/cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/relu/op.h"
#include "engine/ops/simd_loops.h"

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

HWY_EXPORT(relu_forward_range);
HWY_EXPORT(relu_backward_range);

void relu_forward_simd(const ReluForward& op, Buffers buffers, void*, Stream&) {
  const float* x = static_cast<const float*>(buffers[0]);
  float* y = static_cast<float*>(buffers[1]);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(relu_forward_range)(x + begin, y + begin, end - begin);
  });
}

void relu_backward_simd(const ReluBackward& op, Buffers buffers, void*, Stream&) {
  const float* dy = static_cast<const float*>(buffers[0]);
  const float* y = static_cast<const float*>(buffers[1]);
  float* dx = static_cast<float*>(buffers[2]);
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(relu_backward_range)(dy + begin, y + begin, dx + begin, end - begin);
  });
}

}  // namespace umbra
#endif
