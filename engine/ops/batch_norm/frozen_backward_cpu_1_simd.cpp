// The gradient with running statistics, in one read: dx and dresidual do not depend on the sums, so they
// are written in the pass that computes them. Terms are added in float accumulators that are regularly
// added to doubles and cleared, as in cpu_2_fused.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/batch_norm/frozen_backward_cpu_1_simd.cpp"
#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/batch_norm/channel_blocks.h"
#include "engine/ops/batch_norm/channel_passes.h"
#include "engine/ops/batch_norm/cpu_workspace.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/kernel.h"

#ifndef UMBRA_ENGINE_OPS_BATCH_NORM_FROZEN_BACKWARD_BUFFERS
#define UMBRA_ENGINE_OPS_BATCH_NORM_FROZEN_BACKWARD_BUFFERS
namespace umbra {

struct FrozenBackward {
  const float *dy, *x, *y;    // [outer, C, inner]; y is null without a ReLU
  const float *mean, *scale;  // [C]; scale = gamma / sqrt(running_var + epsilon)
  float *dx, *dresidual;      // [outer, C, inner]; dresidual is null without a residual
};

}  // namespace umbra
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// out: [2, C], sums of g and of g (x - mean); g is y > 0 ? dy : 0 with a ReLU, else dy.
template <bool kRelu, bool kResidual>
HWY_INLINE void frozen_backward(const ChannelSlab& slab, const FrozenBackward& b, double* out) {
  sums_pass<2, 16>(slab, out, [&](auto d, auto channel) HWY_ATTR {
    const auto m = channel(b.mean), a = channel(b.scale);
    return [=](std::int64_t i, auto* acc) HWY_ATTR {
      auto g = hn::LoadU(d, b.dy + i);
      if constexpr (kRelu) g = hn::IfThenElseZero(hn::Gt(hn::LoadU(d, b.y + i), hn::Zero(d)), g);
      if constexpr (kResidual) hn::StoreU(g, d, b.dresidual + i);
      acc[0] = hn::Add(acc[0], g);
      acc[1] = hn::MulAdd(g, hn::Sub(hn::LoadU(d, b.x + i), m), acc[1]);
      hn::StoreU(hn::Mul(g, a), d, b.dx + i);
    };
  });
}
void frozen_backward_slab(const ChannelSlab& slab, const FrozenBackward& b, double* out) {
  if (b.dresidual == nullptr)
    return b.y == nullptr ? frozen_backward<false, false>(slab, b, out)
                          : frozen_backward<true, false>(slab, b, out);
  b.y == nullptr ? frozen_backward<false, true>(slab, b, out) : frozen_backward<true, true>(slab, b, out);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(frozen_backward_slab);

namespace {

void run(const BatchNormFrozenBackward& op, Buffers buffers, void* workspace, Stream&) {
  const float* gamma = buffers.in(3);  // [C], as the four below
  const float* mean = buffers.in(4);
  const float* var = buffers.in(5);
  float* dgamma = buffers.out(7);
  float* dbeta = buffers.out(8);
  const ChannelBlocks blocks(op.outer, op.channels, op.inner);
  const ChannelWorkspace<ChannelBlocks> work(blocks, workspace);
  float* scale = work.first;
  const auto inverse = [&](std::int64_t c) {
    return 1 / std::sqrt(static_cast<double>(var[c]) + op.epsilon);
  };
  for (std::int64_t c = 0; c < op.channels; ++c)
    scale[c] = static_cast<float>(static_cast<double>(gamma[c]) * inverse(c));
  const FrozenBackward b{buffers.in(0), buffers.in(1),  op.options.relu ? buffers.in(2) : nullptr,     mean,
                         scale,         buffers.out(6), op.options.residual ? buffers.out(9) : nullptr};
  blocks.for_slabs([&](const ChannelSlab& slab) {
    for (const float* p : {b.dy, b.x, b.y}) blocks.prefetch<0>(slab, p);
    for (const float* p : {b.dx, b.dresidual}) blocks.prefetch<1>(slab, p);
    double* out = work.partial + slab.n0 / blocks.rows * 2 * op.channels;
    HWY_DYNAMIC_DISPATCH(frozen_backward_slab)(slab, b, out);
  });
  for (std::int64_t c = 0; c < op.channels; ++c) {
    dbeta[c] = static_cast<float>(blocks.total(work.partial, 0, c));
    dgamma[c] = static_cast<float>(blocks.total(work.partial, 1, c) * inverse(c));
  }
}

}  // namespace

Kernel batch_norm_frozen_backward_cpu_1_simd() {
  return make_kernel<BatchNormFrozenBackward, run, nullptr, workspace_bytes<ChannelBlocks>>();
}

}  // namespace umbra
#endif
