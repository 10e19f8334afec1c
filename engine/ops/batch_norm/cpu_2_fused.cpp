// Batch normalisation, residual and ReLU with one read for the sums and one for the result, both while a
// block of channels is in cache.
//
// Forward: the variance is E[(x - s)^2] - (E[x - s])^2 in double with s the channel's first value, which
// cancels at most log2(count) of 53 bits (see cpu_1_simd.cpp). y = (x - mean) scale + shift takes the mean as
// a float and adds its rounding error to shift, so that a mean that is large compared with the spread costs
// no accuracy. Backward: the terms of the sums are bounded by the size of the gradient; float accumulators
// that are regularly added to doubles and cleared are enough.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/batch_norm/cpu_2_fused.cpp"
#include <algorithm>
#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/batch_norm/channel_blocks.h"
#include "engine/ops/batch_norm/channel_passes.h"
#include "engine/ops/batch_norm/cpu_workspace.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/kernel.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// out: [2, C], sums of x - s and of its square in double, s the channel's first value. The subtraction is
/// written as a fused multiply-add because the adders limit this loop; the result has the same bits.
void fused_sums_slab(const ChannelSlab& slab, const float* x, double* out) {
  channel_sums<2>(slab, x, slab.volume, out, [&](auto dd, std::int64_t i, auto shift, auto* acc) HWY_ATTR {
    const auto t = hn::MulSub(load_wide(dd, x + i), hn::Set(dd, 1.0), shift);
    acc[0] = hn::Add(acc[0], t);
    acc[1] = hn::MulAdd(t, t, acc[1]);
  });
}

/// y = relu((x - mean) scale + shift + residual), each option where it is on. A NaN stays a NaN.
template <bool kRelu, bool kResidual>
HWY_INLINE void fused_apply(const ChannelSlab& slab, const float* x, const float* residual, const float* mean,
                            const float* scale, const float* shift, float* y) {
  apply_pass(slab, [&](auto d, auto channel) HWY_ATTR {
    const auto m = channel(mean), a = channel(scale), b = channel(shift);
    return [=](std::int64_t i) HWY_ATTR {
      auto v = hn::MulAdd(hn::Sub(hn::LoadU(d, x + i), m), a, b);
      if constexpr (kResidual) v = hn::Add(v, hn::LoadU(d, residual + i));
      if constexpr (kRelu) v = hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), v);
      hn::StoreU(v, d, y + i);
    };
  });
}
void fused_apply_slab(const ChannelSlab& slab, const float* x, const float* residual, const float* mean,
                      const float* scale, const float* shift, bool relu, float* y) {
  if (residual == nullptr) return fused_apply<true, false>(slab, x, nullptr, mean, scale, shift, y);
  if (relu) return fused_apply<true, true>(slab, x, residual, mean, scale, shift, y);
  fused_apply<false, true>(slab, x, residual, mean, scale, shift, y);
}

/// out: [2, C], sums of g and of g (x - mean); g is y > 0 ? dy : 0 with a ReLU, else dy. With kKeep, g is
/// also written to `kept`.
template <bool kRelu, bool kKeep>
HWY_INLINE void fused_backward_sums(const ChannelSlab& slab, const float* dy, const float* x, const float* y,
                                    const float* mean, float* kept, double* out) {
  sums_pass<2, 16>(slab, out, [&](auto d, auto channel) HWY_ATTR {
    const auto m = channel(mean);
    return [=](std::int64_t i, auto* acc) HWY_ATTR {
      auto g = hn::LoadU(d, dy + i);
      if constexpr (kRelu) g = hn::IfThenElseZero(hn::Gt(hn::LoadU(d, y + i), hn::Zero(d)), g);
      if constexpr (kKeep) hn::StoreU(g, d, kept + i);
      acc[0] = hn::Add(acc[0], g);
      acc[1] = hn::MulAdd(g, hn::Sub(hn::LoadU(d, x + i), m), acc[1]);
    };
  });
}
void fused_backward_sums_slab(const ChannelSlab& slab, const float* dy, const float* x, const float* y,
                              const float* mean, float* kept, double* out) {
  if (kept == nullptr) return fused_backward_sums<true, false>(slab, dy, x, y, mean, nullptr, out);
  if (y != nullptr) return fused_backward_sums<true, true>(slab, dy, x, y, mean, kept, out);
  fused_backward_sums<false, true>(slab, dy, x, nullptr, mean, kept, out);
}

/// dx = g scale + (x - mean) slope + offset; y is null where dy is already g.
template <bool kMask>
HWY_INLINE void fused_backward_apply(const ChannelSlab& slab, const float* dy, const float* x, const float* y,
                                     const float* mean, const float* scale, const float* slope,
                                     const float* offset, float* dx) {
  apply_pass(slab, [&](auto d, auto channel) HWY_ATTR {
    const auto m = channel(mean), a = channel(scale), b = channel(slope), o = channel(offset);
    return [=](std::int64_t i) HWY_ATTR {
      auto g = hn::LoadU(d, dy + i);
      if constexpr (kMask) g = hn::IfThenElseZero(hn::Gt(hn::LoadU(d, y + i), hn::Zero(d)), g);
      const auto rest = hn::MulAdd(hn::Sub(hn::LoadU(d, x + i), m), b, o);
      hn::StoreU(hn::MulAdd(g, a, rest), d, dx + i);
    };
  });
}
void fused_backward_apply_slab(const ChannelSlab& slab, const float* dy, const float* x, const float* y,
                               const float* mean, const float* scale, const float* slope, const float* offset,
                               float* dx) {
  if (y != nullptr) return fused_backward_apply<true>(slab, dy, x, y, mean, scale, slope, offset, dx);
  fused_backward_apply<false>(slab, dy, x, nullptr, mean, scale, slope, offset, dx);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(fused_sums_slab);
HWY_EXPORT(fused_apply_slab);
HWY_EXPORT(fused_backward_sums_slab);
HWY_EXPORT(fused_backward_apply_slab);

namespace {

using Workspace = ChannelWorkspace<ChannelBlocks>;

void forward(const BatchNormForward& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = buffers.in(0);      // [outer, C, inner]
  const float* gamma = buffers.in(1);  // [C], as the three below
  const float* beta = buffers.in(2);
  float* running_mean = buffers.out(3);
  float* running_var = buffers.out(4);
  const float* residual = op.options.residual ? buffers.in(5) : nullptr;  // as x
  float* y = buffers.out(6);                                              // as x
  float* mean = buffers.out(7);                                           // [C]
  float* invstd = buffers.out(8);                                         // [C]
  const ChannelBlocks blocks(op.outer, op.channels, op.inner);
  const Workspace work(blocks, workspace);
  float *scale = work.first, *shift = work.second;
  const double count = static_cast<double>(op.count_per_channel());
  const auto finish = [&](std::int64_t c) {
    const double offset = blocks.total(work.partial, 0, c) / count;
    const double var = std::max(0.0, blocks.total(work.partial, 1, c) / count - offset * offset);
    const double m = static_cast<double>(x[c * op.inner]) + offset;
    mean[c] = static_cast<float>(m);
    const double low = m - static_cast<double>(mean[c]);
    const double inverse = 1 / std::sqrt(var + op.epsilon);
    invstd[c] = static_cast<float>(inverse);
    scale[c] = static_cast<float>(static_cast<double>(gamma[c]) * inverse);
    shift[c] = static_cast<float>(static_cast<double>(beta[c]) - low * static_cast<double>(scale[c]));
    const double keep = 1 - op.momentum, unbiased = var * (count / (count - 1));
    running_mean[c] = static_cast<float>(keep * static_cast<double>(running_mean[c]) + op.momentum * m);
    running_var[c] = static_cast<float>(keep * static_cast<double>(running_var[c]) + op.momentum * unbiased);
  };
  blocks.run(
      [&](const ChannelSlab& slab, std::int64_t group) {
        blocks.prefetch<0>(slab, x);
        HWY_DYNAMIC_DISPATCH(fused_sums_slab)(slab, x, work.partial + group * 2 * op.channels);
      },
      finish,
      [&](const ChannelSlab& slab) {
        blocks.prefetch<0>(slab, residual);
        blocks.prefetch<1>(slab, y);
        HWY_DYNAMIC_DISPATCH(fused_apply_slab)(slab, x, residual, mean, scale, shift, op.options.relu, y);
      });
}

void inference(const BatchNormInference& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = buffers.in(0);      // [outer, C, inner]
  const float* gamma = buffers.in(1);  // [C], as the three below
  const float* beta = buffers.in(2);
  const float* mean = buffers.in(3);
  const float* var = buffers.in(4);
  const float* residual = op.options.residual ? buffers.in(5) : nullptr;  // as x
  float* y = buffers.out(6);                                              // as x
  float* scale = static_cast<float*>(workspace);
  for (std::int64_t c = 0; c < op.channels; ++c) {
    const double inverse = 1 / std::sqrt(static_cast<double>(var[c]) + op.epsilon);
    scale[c] = static_cast<float>(static_cast<double>(gamma[c]) * inverse);
  }
  const ChannelBlocks blocks(op.outer, op.channels, op.inner);
  blocks.for_slabs([&](const ChannelSlab& slab) {
    blocks.prefetch<0>(slab, x);
    blocks.prefetch<0>(slab, residual);
    blocks.prefetch<1>(slab, y);
    HWY_DYNAMIC_DISPATCH(fused_apply_slab)(slab, x, residual, mean, scale, beta, op.options.relu, y);
  });
}

void backward(const BatchNormBackward& op, Buffers buffers, void* workspace, Stream&) {
  const float* dy = buffers.in(0);  // [outer, C, inner], as the two below
  const float* x = buffers.in(1);
  const float* y = op.options.relu ? buffers.in(2) : nullptr;
  const float* gamma = buffers.in(3);  // [C], as the two below
  const float* mean = buffers.in(4);
  const float* invstd = buffers.in(5);
  float* dx = buffers.out(6);                                         // as x
  float* dgamma = buffers.out(7);                                     // [C]
  float* dbeta = buffers.out(8);                                      // [C]
  float* dresidual = op.options.residual ? buffers.out(9) : nullptr;  // as x
  const float* gradient = op.options.residual ? dresidual : dy;
  const float* mask = op.options.residual ? nullptr : y;
  const ChannelBlocks blocks(op.outer, op.channels, op.inner);
  const Workspace work(blocks, workspace);
  float *scale = work.first, *slope = work.second, *offset = work.third;
  const double count = static_cast<double>(op.count_per_channel());
  const auto finish = [&](std::int64_t c) {
    const double inverse = static_cast<double>(invstd[c]), factor = static_cast<double>(gamma[c]) * inverse;
    const double sum = blocks.total(work.partial, 0, c);
    const double sum_xhat = blocks.total(work.partial, 1, c) * inverse;
    dbeta[c] = static_cast<float>(sum);
    dgamma[c] = static_cast<float>(sum_xhat);
    scale[c] = static_cast<float>(factor);
    slope[c] = static_cast<float>(-factor * inverse * sum_xhat / count);
    offset[c] = static_cast<float>(-factor * sum / count);
  };
  blocks.run(
      [&](const ChannelSlab& slab, std::int64_t group) {
        for (const float* p : {dy, x, y}) blocks.prefetch<0>(slab, p);
        blocks.prefetch<1>(slab, dresidual);
        double* out = work.partial + group * 2 * op.channels;
        HWY_DYNAMIC_DISPATCH(fused_backward_sums_slab)(slab, dy, x, y, mean, dresidual, out);
      },
      finish,
      [&](const ChannelSlab& slab) {
        blocks.prefetch<1>(slab, dx);
        HWY_DYNAMIC_DISPATCH(fused_backward_apply_slab)
        (slab, gradient, x, mask, mean, scale, slope, offset, dx);
      });
}

std::string plain_declined(const BatchNormOp& op) {
  return op.options.relu || op.options.residual ? "" : "it needs a ReLU or a residual to fuse";
}
std::string forward_declines(const BatchNormForward& op) {
  const std::string few = needs_two_values(op);
  return few.empty() ? plain_declined(op) : few;
}
std::string backward_declines(const BatchNormBackward& op) {
  const std::string none = needs_a_value(op);
  return none.empty() ? plain_declined(op) : none;
}

}  // namespace

Kernel batch_norm_forward_cpu_2_fused() {
  return make_kernel<BatchNormForward, forward, forward_declines, workspace_bytes<ChannelBlocks>>();
}
Kernel batch_norm_inference_cpu_2_fused() {
  return make_kernel<BatchNormInference, inference, plain_declined, inference_workspace_bytes>();
}
Kernel batch_norm_backward_cpu_2_fused() {
  return make_kernel<BatchNormBackward, backward, backward_declines, workspace_bytes<ChannelBlocks>>();
}

}  // namespace umbra
#endif
