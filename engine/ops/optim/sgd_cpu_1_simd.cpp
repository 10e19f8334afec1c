// A step of SGD in one pass over parameters, gradients and velocities of all tensors.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/optim/sgd_cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/sgd.h"
#include "engine/ops/optim/tensor_list_chunks.h"
#include "engine/ops/shared/simd_loops.h"

#ifndef UMBRA_ENGINE_OPS_OPTIM_SGD_CPU_1_SIMD_NUMBERS
#define UMBRA_ENGINE_OPS_OPTIM_SGD_CPU_1_SIMD_NUMBERS
namespace umbra {

struct SgdFloats {
  float minus_lr, momentum, weight_decay, share;
  bool nesterov;
};

}  // namespace umbra
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

// g is null where the gradient is absent, v without momentum.
void sgd_range(const SgdFloats& s, float* p, const float* g, float* v, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto parameter = hn::LoadU(d, p + i);
    auto step = g != nullptr ? hn::LoadU(d, g + i) : hn::Zero(d);
    if (s.weight_decay != 0) step = hn::MulAdd(hn::Set(d, s.weight_decay), parameter, step);
    if (v != nullptr) {
      const auto momentum = hn::Set(d, s.momentum);
      const auto velocity = hn::MulAdd(hn::Set(d, s.share), step, hn::Mul(hn::LoadU(d, v + i), momentum));
      hn::StoreU(velocity, d, v + i);
      step = s.nesterov ? hn::MulAdd(momentum, velocity, step) : velocity;
    }
    hn::StoreU(hn::MulAdd(hn::Set(d, s.minus_lr), step, parameter), d, p + i);
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
  const double* scalars = buffers.last<double>();
  const SgdRule& rule = op.rule;
  parallel_tensors(op.tensors, [&](std::size_t k, std::int64_t begin, std::int64_t end) {
    float* p = buffers.out(SgdStep::kBuffers * k);
    const float* g = buffers.in(SgdStep::kBuffers * k + 1);
    float* v = buffers.out(SgdStep::kBuffers * k + 2);
    const SgdFloats floats{static_cast<float>(-scalars[0]), static_cast<float>(rule.momentum),
                           static_cast<float>(rule.weight_decay),
                           static_cast<float>(rule.dampened ? scalars[op.tensors[k].share_at] : 1),
                           rule.nesterov};
    HWY_DYNAMIC_DISPATCH(sgd_range)
    (floats, p + begin, op.tensors[k].gradient_absent ? nullptr : g + begin,
     rule.momentum != 0 ? v + begin : nullptr, end - begin);
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
