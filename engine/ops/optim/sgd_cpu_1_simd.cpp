// A step of SGD in one pass over parameters, gradients and velocities of all tensors.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/optim/sgd_cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/ladder.h"
#include "engine/ops/optim/sgd.h"
#include "engine/ops/optim/tensor_list_chunks.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

// g is null where the gradient is absent, v without momentum.
void sgd_range(float minus_lr, float momentum, float weight_decay, float* p, const float* g, float* v,
               std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto parameter = hn::LoadU(d, p + i);
    auto step = g != nullptr ? hn::LoadU(d, g + i) : hn::Zero(d);
    if (weight_decay != 0) step = hn::MulAdd(hn::Set(d, weight_decay), parameter, step);
    if (v != nullptr) {
      step = hn::Add(hn::Mul(hn::LoadU(d, v + i), hn::Set(d, momentum)), step);
      hn::StoreU(step, d, v + i);
    }
    hn::StoreU(hn::MulAdd(hn::Set(d, minus_lr), step, parameter), d, p + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(sgd_range);

namespace {

void run(const SgdStep& op, Buffers buffers, void*, Stream&) {
  const auto minus_lr = static_cast<float>(-*buffers.last<double>());
  parallel_tensors(op.tensors, [&](std::size_t k, std::int64_t begin, std::int64_t end) {
    float* p = buffers.out(SgdStep::kBuffers * k);
    const float* g = buffers.in(SgdStep::kBuffers * k + 1);
    float* v = buffers.out(SgdStep::kBuffers * k + 2);
    HWY_DYNAMIC_DISPATCH(sgd_range)
    (minus_lr, static_cast<float>(op.momentum), static_cast<float>(op.weight_decay), p + begin,
     op.tensors[k].gradient_absent ? nullptr : g + begin, op.momentum != 0 ? v + begin : nullptr,
     end - begin);
    if (op.tensors[k].bf16_copy) {
      write_bf16_copy(p + begin, end - begin, buffers.out<Bf16>(SgdStep::kBuffers * k + 3) + begin);
    }
  });
}

}  // namespace

Kernel sgd_step_cpu_1_simd() {
  return make_kernel<SgdStep, run>();
}

}  // namespace umbra
#endif
