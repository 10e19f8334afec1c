// Batch normalisation, residual and ReLU in one read for the sums and one for the result, both while a block
// of channels is in cache.
//
// Forward: the variance is E[(x - s)^2] - (E[x - s])^2 in double with s the channel's first value, which
// cancels at most log2(count) of 53 bits (see batch_norm). y = (x - mean) scale + shift takes the mean as a
// float and puts what is left of it into shift, so that a mean large beside the spread costs nothing.
// Backward: the sums' terms are bounded by the gradient's own size; float accumulators that are emptied into
// doubles are enough.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/batch_norm_relu/cpu_1_fused.cpp"
#include <algorithm>
#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/batch_norm_relu/blocks.h"
#include "engine/ops/batch_norm_relu/op.h"
#include "engine/ops/batch_norm_relu/passes.h"
#include "engine/ops/kernel.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// out: [2, C], sums of x - s and of its square in double, s the channel's first value. The subtraction is
/// written as a fused multiply-add because the adders are what this loop waits for; the bits are the same.
void bnr_sums_slab(const ChannelSlab& slab, const float* x, double* out) {
  channel_sums<2>(slab, x, slab.volume, out, [&](auto dd, std::int64_t i, auto shift, auto* acc) HWY_ATTR {
    const auto t = hn::MulSub(load_wide(dd, x + i), hn::Set(dd, 1.0), shift);
    acc[0] = hn::Add(acc[0], t);
    acc[1] = hn::MulAdd(t, t, acc[1]);
  });
}

/// y = relu((x - mean) scale + shift + residual), residual in place where kResidual. A NaN passes.
template <bool kResidual>
HWY_INLINE void bnr_apply(const ChannelSlab& slab, const float* x, const float* residual, const float* mean,
                          const float* scale, const float* shift, float* y) {
  apply_pass(slab, [&](auto d, auto channel) HWY_ATTR {
    const auto m = channel(mean), a = channel(scale), b = channel(shift);
    return [=](std::int64_t i) HWY_ATTR {
      auto v = hn::MulAdd(hn::Sub(hn::LoadU(d, x + i), m), a, b);
      if constexpr (kResidual) v = hn::Add(v, hn::LoadU(d, residual + i));
      hn::StoreU(hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), v), d, y + i);
    };
  });
}
void bnr_apply_slab(const ChannelSlab& slab, const float* x, const float* residual, const float* mean,
                    const float* scale, const float* shift, float* y) {
  if (residual != nullptr) return bnr_apply<true>(slab, x, residual, mean, scale, shift, y);
  bnr_apply<false>(slab, x, nullptr, mean, scale, shift, y);
}

/// out: [2, C], sums of g and of g (x - mean), where g = y > 0 ? dy : 0, which is kept where kKeep.
template <bool kKeep>
HWY_INLINE void bnr_backward_sums(const ChannelSlab& slab, const float* dy, const float* x, const float* y,
                                  const float* mean, float* kept, double* out) {
  sums_pass<2, 16>(slab, out, [&](auto d, auto channel) HWY_ATTR {
    const auto m = channel(mean);
    return [=](std::int64_t i, auto* acc) HWY_ATTR {
      const auto passes = hn::Gt(hn::LoadU(d, y + i), hn::Zero(d));
      const auto g = hn::IfThenElseZero(passes, hn::LoadU(d, dy + i));
      if constexpr (kKeep) hn::StoreU(g, d, kept + i);
      acc[0] = hn::Add(acc[0], g);
      acc[1] = hn::MulAdd(g, hn::Sub(hn::LoadU(d, x + i), m), acc[1]);
    };
  });
}
void bnr_backward_sums_slab(const ChannelSlab& slab, const float* dy, const float* x, const float* y,
                            const float* mean, float* kept, double* out) {
  if (kept != nullptr) return bnr_backward_sums<true>(slab, dy, x, y, mean, kept, out);
  bnr_backward_sums<false>(slab, dy, x, y, mean, nullptr, out);
}

/// dx = g scale + (x - mean) slope + offset; y is null where dy is g already.
template <bool kMask>
HWY_INLINE void bnr_backward_apply(const ChannelSlab& slab, const float* dy, const float* x, const float* y,
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
void bnr_backward_apply_slab(const ChannelSlab& slab, const float* dy, const float* x, const float* y,
                             const float* mean, const float* scale, const float* slope, const float* offset,
                             float* dx) {
  if (y != nullptr) return bnr_backward_apply<true>(slab, dy, x, y, mean, scale, slope, offset, dx);
  bnr_backward_apply<false>(slab, dy, x, nullptr, mean, scale, slope, offset, dx);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(bnr_sums_slab);
HWY_EXPORT(bnr_apply_slab);
HWY_EXPORT(bnr_backward_sums_slab);
HWY_EXPORT(bnr_backward_apply_slab);

namespace {

/// Two sums per channel and group, then three floats per channel.
struct Workspace {
  Workspace(const ChannelBlocks& blocks, void* memory)
      : partial(static_cast<double*>(memory)),
        first(reinterpret_cast<float*>(partial + blocks.groups * 2 * blocks.channels)),
        second(first + blocks.channels),
        third(second + blocks.channels) {}
  static std::size_t bytes(const ChannelBlocks& blocks) {
    return static_cast<std::size_t>(blocks.channels) *
           (static_cast<std::size_t>(blocks.groups) * 2 * sizeof(double) + 3 * sizeof(float));
  }
  double* partial;                // [groups, 2, C]
  float *first, *second, *third;  // [C]
};

}  // namespace

void batch_norm_relu_forward_fused(const BatchNormReluForward& op, Buffers buffers, void* workspace,
                                   Stream&) {
  const float* x = static_cast<const float*>(buffers[0]);      // [outer, C, inner]
  const float* gamma = static_cast<const float*>(buffers[1]);  // [C], as the three below
  const float* beta = static_cast<const float*>(buffers[2]);
  float* running_mean = static_cast<float*>(buffers[3]);
  float* running_var = static_cast<float*>(buffers[4]);
  const float* residual = op.residual ? static_cast<const float*>(buffers[5]) : nullptr;  // as x
  float* y = static_cast<float*>(buffers[6]);                                             // as x
  float* mean = static_cast<float*>(buffers[7]);                                          // [C]
  float* invstd = static_cast<float*>(buffers[8]);                                        // [C]
  const ChannelBlocks blocks(op.outer, op.channels, op.inner);
  const Workspace work(blocks, workspace);
  float *scale = work.first, *shift = work.second;
  const double count = static_cast<double>(op.outer * op.inner);
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
        HWY_DYNAMIC_DISPATCH(bnr_sums_slab)(slab, x, work.partial + group * 2 * op.channels);
      },
      finish,
      [&](const ChannelSlab& slab) {
        blocks.prefetch<0>(slab, residual);
        blocks.prefetch<1>(slab, y);
        HWY_DYNAMIC_DISPATCH(bnr_apply_slab)(slab, x, residual, mean, scale, shift, y);
      });
}

void batch_norm_relu_inference_fused(const BatchNormReluInference& op, Buffers buffers, void* workspace,
                                     Stream&) {
  const float* x = static_cast<const float*>(buffers[0]);      // [outer, C, inner]
  const float* gamma = static_cast<const float*>(buffers[1]);  // [C], as the three below
  const float* beta = static_cast<const float*>(buffers[2]);
  const float* mean = static_cast<const float*>(buffers[3]);
  const float* var = static_cast<const float*>(buffers[4]);
  const float* residual = op.residual ? static_cast<const float*>(buffers[5]) : nullptr;  // as x
  float* y = static_cast<float*>(buffers[6]);                                             // as x
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
    HWY_DYNAMIC_DISPATCH(bnr_apply_slab)(slab, x, residual, mean, scale, beta, y);
  });
}

void batch_norm_relu_backward_fused(const BatchNormReluBackward& op, Buffers buffers, void* workspace,
                                    Stream&) {
  const float* dy = static_cast<const float*>(buffers[0]);  // [outer, C, inner], as the two below
  const float* x = static_cast<const float*>(buffers[1]);
  const float* y = static_cast<const float*>(buffers[2]);
  const float* gamma = static_cast<const float*>(buffers[3]);  // [C], as the two below
  const float* mean = static_cast<const float*>(buffers[4]);
  const float* invstd = static_cast<const float*>(buffers[5]);
  float* dx = static_cast<float*>(buffers[6]);                                 // as x
  float* dgamma = static_cast<float*>(buffers[7]);                             // [C]
  float* dbeta = static_cast<float*>(buffers[8]);                              // [C]
  float* dresidual = op.residual ? static_cast<float*>(buffers[9]) : nullptr;  // as x
  const float* gradient = op.residual ? dresidual : dy;
  const float* mask = op.residual ? nullptr : y;
  const ChannelBlocks blocks(op.outer, op.channels, op.inner);
  const Workspace work(blocks, workspace);
  float *scale = work.first, *slope = work.second, *offset = work.third;
  const double count = static_cast<double>(op.outer * op.inner);
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
        HWY_DYNAMIC_DISPATCH(bnr_backward_sums_slab)(slab, dy, x, y, mean, dresidual, out);
      },
      finish,
      [&](const ChannelSlab& slab) {
        blocks.prefetch<1>(slab, dx);
        HWY_DYNAMIC_DISPATCH(bnr_backward_apply_slab)
        (slab, gradient, x, mask, mean, scale, slope, offset, dx);
      });
}

std::size_t batch_norm_relu_forward_workspace(const BatchNormReluForward& op) {
  return Workspace::bytes(ChannelBlocks(op.outer, op.channels, op.inner));
}
std::size_t batch_norm_relu_inference_workspace(const BatchNormReluInference& op) {
  return static_cast<std::size_t>(op.channels) * sizeof(float);
}
std::size_t batch_norm_relu_backward_workspace(const BatchNormReluBackward& op) {
  return Workspace::bytes(ChannelBlocks(op.outer, op.channels, op.inner));
}

}  // namespace umbra
#endif
