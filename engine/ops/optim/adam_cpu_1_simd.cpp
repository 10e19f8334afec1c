// A step of Adam or AdamW in one pass over parameters, gradients and both moments of all tensors. Which
// products are fused with a sum was chosen to agree with PyTorch 1.13's goldens bit for bit on CPUs with
// fused multiply-add; the README states the limits of that evidence.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/optim/adam_cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/adam.h"
#include "engine/ops/optim/adam_scalars.h"
#include "engine/ops/optim/tensor_list_chunks.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// g is null where the gradient is absent.
template <bool kDecoupled, bool kDecay, bool kGradient>
void adam_pass(const AdamScalars<float>& s, float* p, const float* g, float* m, float* v,
               std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    auto parameter = hn::LoadU(d, p + i);
    auto gradient = hn::Zero(d);
    if constexpr (kGradient) gradient = hn::LoadU(d, g + i);
    if constexpr (kDecay && kDecoupled) parameter = hn::Mul(parameter, hn::Set(d, s.shrink));
    if constexpr (kDecay && !kDecoupled)
      gradient = hn::MulAdd(hn::Set(d, s.weight_decay), parameter, gradient);
    const auto decayed_m = hn::Mul(hn::LoadU(d, m + i), hn::Set(d, s.beta1));
    const auto decayed_v = hn::Mul(hn::LoadU(d, v + i), hn::Set(d, s.beta2));
    const auto new_m = hn::MulAdd(hn::Set(d, s.rest1), gradient, decayed_m);
    const auto new_v = hn::MulAdd(hn::Mul(hn::Set(d, s.rest2), gradient), gradient, decayed_v);
    const auto root = hn::Div(hn::Sqrt(new_v), hn::Set(d, s.root_bc2));
    const auto denominator = hn::Add(root, hn::Set(d, s.epsilon));
    const auto update = hn::Div(hn::Mul(hn::Set(d, s.minus_step), new_m), denominator);
    hn::StoreU(new_m, d, m + i);
    hn::StoreU(new_v, d, v + i);
    hn::StoreU(hn::Add(parameter, update), d, p + i);
  });
}

template <bool kGradient>
void adam_kind(const AdamScalars<float>& s, bool decoupled, float* p, const float* g, float* m, float* v,
               std::int64_t count) {
  if (s.weight_decay == 0) return adam_pass<false, false, kGradient>(s, p, g, m, v, count);
  if (decoupled) return adam_pass<true, true, kGradient>(s, p, g, m, v, count);
  adam_pass<false, true, kGradient>(s, p, g, m, v, count);
}
void adam_range(const AdamScalars<float>& s, bool decoupled, float* p, const float* g, float* m, float* v,
                std::int64_t count) {
  if (g == nullptr) return adam_kind<false>(s, decoupled, p, g, m, v, count);
  adam_kind<true>(s, decoupled, p, g, m, v, count);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(adam_range);

namespace {

void run(const AdamStep& op, Buffers buffers, void*, Stream&) {
  const AdamScalars<float> scalars(op.rule, buffers.last<double>());
  parallel_tensors(op.tensors, [&](std::size_t k, std::int64_t begin, std::int64_t end) {
    float* p = buffers.out(AdamStep::kBuffers * k);
    const float* g = buffers.in(AdamStep::kBuffers * k + 1);
    float* m = buffers.out(AdamStep::kBuffers * k + 2);
    float* v = buffers.out(AdamStep::kBuffers * k + 3);
    HWY_DYNAMIC_DISPATCH(adam_range)
    (scalars, op.rule.decoupled, p + begin, op.tensors[k].gradient_absent ? nullptr : g + begin, m + begin,
     v + begin, end - begin);
    if (op.tensors[k].bf16_copy) {
      write_bf16_copy(p + begin, end - begin, buffers.out<Bf16>(AdamStep::kBuffers * k + 4) + begin);
    }
  });
}

}  // namespace

Kernel adam_step_cpu_1_simd() {
  return make_kernel<AdamStep, run>();
}

}  // namespace umbra
#endif
