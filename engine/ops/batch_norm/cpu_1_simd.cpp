// Batch normalisation without options, in one read for the statistics and one for the result, both while a
// channel is in cache.
//
// The variance comes from sums of (x - s) and (x - s)^2 in double, with s the channel's first value. Because
// s is one of the values, |mean - s| <= std sqrt(count): subtracting the squared mean cancels at most
// log2(count) of the 53 bits, and the result is accurate to more than float however large the mean is
// compared with the spread. The mean is subtracted as a sum of two floats for the same reason.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/batch_norm/cpu_1_simd.cpp"
#include <algorithm>
#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/batch_norm/cpu_workspace.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// out: [2, C], sums of x - s and of its square.
void batch_norm_sums_slab(const ChannelSlab& slab, const float* x, double* out) {
  channel_sums<2>(slab, x, slab.volume, out, [&](auto dd, std::int64_t i, auto shift, auto* acc) HWY_ATTR {
    const auto v = hn::Sub(load_wide(dd, x + i), shift);
    acc[0] = hn::Add(acc[0], v);
    acc[1] = hn::MulAdd(v, v, acc[1]);
  });
}

/// y = (x - high - low) scale + beta; low may be null.
void batch_norm_apply_slab(const ChannelSlab& slab, const float* x, const float* high, const float* low,
                           const float* scale, const float* beta, float* y) {
  for_slab(slab, [&](auto d, std::int64_t i, auto channel) HWY_ATTR {
    auto centred = hn::Sub(hn::LoadU(d, x + i), channel(high));
    if (low != nullptr) centred = hn::Sub(centred, channel(low));
    hn::StoreU(hn::MulAdd(centred, channel(scale), channel(beta)), d, y + i);
  });
}

/// out: [2, C], sums of dy and of dy (x - mean).
void batch_norm_backward_sums_slab(const ChannelSlab& slab, const float* dy, const float* x,
                                   const float* mean, double* out) {
  channel_sums<2>(slab, mean, 1, out, [&](auto dd, std::int64_t i, auto shift, auto* acc) HWY_ATTR {
    const auto gradient = load_wide(dd, dy + i);
    acc[0] = hn::Add(acc[0], gradient);
    acc[1] = hn::MulAdd(gradient, hn::Sub(load_wide(dd, x + i), shift), acc[1]);
  });
}

/// dx = scale (dy - offset - (x - mean) slope)
void batch_norm_backward_apply_slab(const ChannelSlab& slab, const float* dy, const float* x,
                                    const float* mean, const float* scale, const float* offset,
                                    const float* slope, float* dx) {
  for_slab(slab, [&](auto d, std::int64_t i, auto channel) HWY_ATTR {
    const auto centred = hn::Sub(hn::LoadU(d, x + i), channel(mean));
    const auto rest = hn::NegMulAdd(centred, channel(slope), hn::Sub(hn::LoadU(d, dy + i), channel(offset)));
    hn::StoreU(hn::Mul(channel(scale), rest), d, dx + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(batch_norm_sums_slab);
HWY_EXPORT(batch_norm_apply_slab);
HWY_EXPORT(batch_norm_backward_sums_slab);
HWY_EXPORT(batch_norm_backward_apply_slab);

namespace {

using Workspace = ChannelWorkspace<ChannelSplit>;

void forward(const BatchNormForward& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = buffers.in(0);      // [outer, C, inner]
  const float* gamma = buffers.in(1);  // [C], as all below but y
  const float* beta = buffers.in(2);
  float* running_mean = buffers.out(3);
  float* running_var = buffers.out(4);
  float* y = buffers.out(6);  // [outer, C, inner]
  float* mean = buffers.out(7);
  float* invstd = buffers.out(8);
  const ChannelSplit split(op.outer, op.channels, op.inner);
  const Workspace work(split, workspace);
  float *low = work.first, *scale = work.second;
  const double count = static_cast<double>(op.count_per_channel());
  const auto finish = [&](std::int64_t c) {
    const double offset = split.total(work.partial, 2, 0, c) / count;
    const double var = std::max(0.0, split.total(work.partial, 2, 1, c) / count - offset * offset);
    const double m = static_cast<double>(x[c * op.inner]) + offset;
    const double inverse = 1 / std::sqrt(var + op.epsilon);
    mean[c] = static_cast<float>(m);
    low[c] = static_cast<float>(m - static_cast<double>(mean[c]));
    invstd[c] = static_cast<float>(inverse);
    scale[c] = static_cast<float>(static_cast<double>(gamma[c]) * inverse);
    const double keep = 1 - op.momentum, unbiased = var * (count / (count - 1));
    running_mean[c] = static_cast<float>(keep * static_cast<double>(running_mean[c]) + op.momentum * m);
    running_var[c] = static_cast<float>(keep * static_cast<double>(running_var[c]) + op.momentum * unbiased);
  };
  split.run(
      [&](const ChannelSlab& slab, std::int64_t group) {
        HWY_DYNAMIC_DISPATCH(batch_norm_sums_slab)(slab, x, work.partial + group * 2 * op.channels);
      },
      finish,
      [&](const ChannelSlab& slab) {
        HWY_DYNAMIC_DISPATCH(batch_norm_apply_slab)(slab, x, mean, low, scale, beta, y);
      });
}

void inference(const BatchNormInference& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = buffers.in(0);      // [outer, C, inner]
  const float* gamma = buffers.in(1);  // [C], as all below but y
  const float* beta = buffers.in(2);
  const float* mean = buffers.in(3);
  const float* var = buffers.in(4);
  float* y = buffers.out(6);  // [outer, C, inner]
  float* scale = static_cast<float*>(workspace);
  for (std::int64_t c = 0; c < op.channels; ++c) {
    scale[c] = static_cast<float>(static_cast<double>(gamma[c]) /
                                  std::sqrt(static_cast<double>(var[c]) + op.epsilon));
  }
  const ChannelSplit split(op.outer, op.channels, op.inner);
  parallel_for(split.blocks * split.groups, [&](std::int64_t i) {
    const ChannelSlab slab = split.slab(i / split.groups, i % split.groups);
    HWY_DYNAMIC_DISPATCH(batch_norm_apply_slab)(slab, x, mean, nullptr, scale, beta, y);
  });
}

void backward(const BatchNormBackward& op, Buffers buffers, void* workspace, Stream&) {
  const float* dy = buffers.in(0);     // [outer, C, inner]
  const float* x = buffers.in(1);      // [outer, C, inner]
  const float* gamma = buffers.in(3);  // [C], as all below but dx
  const float* mean = buffers.in(4);
  const float* invstd = buffers.in(5);
  float* dx = buffers.out(6);  // [outer, C, inner]
  float* dgamma = buffers.out(7);
  float* dbeta = buffers.out(8);
  const ChannelSplit split(op.outer, op.channels, op.inner);
  const Workspace work(split, workspace);
  float *scale = work.first, *offset = work.second, *slope = work.third;
  const double count = static_cast<double>(op.count_per_channel());
  const auto finish = [&](std::int64_t c) {
    const double inverse = static_cast<double>(invstd[c]);
    const double sum = split.total(work.partial, 2, 0, c);
    const double sum_xhat = split.total(work.partial, 2, 1, c) * inverse;
    dbeta[c] = static_cast<float>(sum);
    dgamma[c] = static_cast<float>(sum_xhat);
    scale[c] = static_cast<float>(static_cast<double>(gamma[c]) * inverse);
    offset[c] = static_cast<float>(sum / count);
    slope[c] = static_cast<float>(sum_xhat / count * inverse);
  };
  split.run(
      [&](const ChannelSlab& slab, std::int64_t group) {
        double* out = work.partial + group * 2 * op.channels;
        HWY_DYNAMIC_DISPATCH(batch_norm_backward_sums_slab)(slab, dy, x, mean, out);
      },
      finish,
      [&](const ChannelSlab& slab) {
        HWY_DYNAMIC_DISPATCH(batch_norm_backward_apply_slab)(slab, dy, x, mean, scale, offset, slope, dx);
      });
}

std::string options_declined(const BatchNormOp& op) {
  return op.options.relu || op.options.residual ? "it supports neither a ReLU nor a residual" : "";
}
std::string forward_declines(const BatchNormForward& op) {
  const std::string few = needs_two_values(op);
  return few.empty() ? options_declined(op) : few;
}
std::string backward_declines(const BatchNormBackward& op) {
  const std::string none = needs_a_value(op);
  return none.empty() ? options_declined(op) : none;
}

}  // namespace

Kernel batch_norm_forward_cpu_1_simd() {
  return make_kernel<BatchNormForward, forward, forward_declines, workspace_bytes<ChannelSplit>>();
}
Kernel batch_norm_inference_cpu_1_simd() {
  return make_kernel<BatchNormInference, inference, options_declined, inference_workspace_bytes>();
}
Kernel batch_norm_backward_cpu_1_simd() {
  return make_kernel<BatchNormBackward, backward, backward_declines, workspace_bytes<ChannelSplit>>();
}

}  // namespace umbra
#endif
