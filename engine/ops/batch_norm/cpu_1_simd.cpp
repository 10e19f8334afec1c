// Batch normalisation in one read for the statistics and one for the result, both while a channel is in
// cache.
//
// The variance comes from sums of (x - s) and (x - s)^2 in double, with s the channel's first value. Because
// s is one of the values, |mean - s| <= std sqrt(count): subtracting the squared mean cancels at most
// log2(count) of the 53 bits, and the result is accurate to more than float for any mean, however large
// beside the spread. The mean is subtracted as a sum of two floats for the same reason.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/batch_norm/cpu_1_simd.cpp"
#include <algorithm>
#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/simd_loops.h"

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

/// Two sums per channel and group, then three floats per channel.
struct Workspace {
  Workspace(const ChannelSplit& split, void* memory)
      : partial(static_cast<double*>(memory)),
        first(reinterpret_cast<float*>(partial + split.groups * 2 * split.channels)),
        second(first + split.channels),
        third(second + split.channels) {}
  static std::size_t bytes(const ChannelSplit& split) {
    return static_cast<std::size_t>(split.channels) *
           (static_cast<std::size_t>(split.groups) * 2 * sizeof(double) + 3 * sizeof(float));
  }
  double* partial;                // [groups, 2, C]
  float *first, *second, *third;  // [C]
};

}  // namespace

void batch_norm_forward_simd(const BatchNormForward& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = static_cast<const float*>(buffers[0]);      // [N, C, S]
  const float* gamma = static_cast<const float*>(buffers[1]);  // [C], as all below but y
  const float* beta = static_cast<const float*>(buffers[2]);
  float* running_mean = static_cast<float*>(buffers[3]);
  float* running_var = static_cast<float*>(buffers[4]);
  float* y = static_cast<float*>(buffers[5]);  // [N, C, S]
  float* mean = static_cast<float*>(buffers[6]);
  float* invstd = static_cast<float*>(buffers[7]);
  const ChannelSplit split(op.batch, op.channels, op.volume);
  const Workspace work(split, workspace);
  float *low = work.first, *scale = work.second;
  const double count = static_cast<double>(op.batch * op.volume);
  const auto finish = [&](std::int64_t c) {
    const double offset = split.total(work.partial, 2, 0, c) / count;
    const double var = std::max(0.0, split.total(work.partial, 2, 1, c) / count - offset * offset);
    const double m = static_cast<double>(x[c * op.volume]) + offset;
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

void batch_norm_inference_simd(const BatchNormInference& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = static_cast<const float*>(buffers[0]);      // [N, C, S]
  const float* gamma = static_cast<const float*>(buffers[1]);  // [C], as all below but y
  const float* beta = static_cast<const float*>(buffers[2]);
  const float* mean = static_cast<const float*>(buffers[3]);
  const float* var = static_cast<const float*>(buffers[4]);
  float* y = static_cast<float*>(buffers[5]);  // [N, C, S]
  float* scale = static_cast<float*>(workspace);
  for (std::int64_t c = 0; c < op.channels; ++c) {
    scale[c] = static_cast<float>(static_cast<double>(gamma[c]) /
                                  std::sqrt(static_cast<double>(var[c]) + op.epsilon));
  }
  const ChannelSplit split(op.batch, op.channels, op.volume);
  parallel_for(split.blocks * split.groups, [&](std::int64_t i) {
    const ChannelSlab slab = split.slab(i / split.groups, i % split.groups);
    HWY_DYNAMIC_DISPATCH(batch_norm_apply_slab)(slab, x, mean, nullptr, scale, beta, y);
  });
}

void batch_norm_backward_simd(const BatchNormBackward& op, Buffers buffers, void* workspace, Stream&) {
  const float* dy = static_cast<const float*>(buffers[0]);     // [N, C, S]
  const float* x = static_cast<const float*>(buffers[1]);      // [N, C, S]
  const float* gamma = static_cast<const float*>(buffers[2]);  // [C], as all below but dx
  const float* mean = static_cast<const float*>(buffers[3]);
  const float* invstd = static_cast<const float*>(buffers[4]);
  float* dx = static_cast<float*>(buffers[5]);  // [N, C, S]
  float* dgamma = static_cast<float*>(buffers[6]);
  float* dbeta = static_cast<float*>(buffers[7]);
  const ChannelSplit split(op.batch, op.channels, op.volume);
  const Workspace work(split, workspace);
  float *scale = work.first, *offset = work.second, *slope = work.third;
  const double count = static_cast<double>(op.batch * op.volume);
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

std::size_t batch_norm_forward_workspace(const BatchNormForward& op) {
  return Workspace::bytes(ChannelSplit(op.batch, op.channels, op.volume));
}
std::size_t batch_norm_inference_workspace(const BatchNormInference& op) {
  return static_cast<std::size_t>(op.channels) * sizeof(float);
}
std::size_t batch_norm_backward_workspace(const BatchNormBackward& op) {
  return Workspace::bytes(ChannelSplit(op.batch, op.channels, op.volume));
}

}  // namespace umbra
#endif
