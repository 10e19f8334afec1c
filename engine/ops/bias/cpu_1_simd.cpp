// The bias and its adjoint: sums per channel in double, groups of samples added in index order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/bias/cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/bias/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void bias_forward_slab(const ChannelSlab& slab, const float* x, const float* bias, float* y) {
  for_slab(slab, [&](auto d, std::int64_t i, auto channel)
                     HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, x + i), channel(bias)), d, y + i); });
}

/// out: [1, C]
void bias_sums_slab(const ChannelSlab& slab, const float* dy, double* out) {
  channel_sums<1>(slab, dy, 0, out, [&](auto dd, std::int64_t i, auto, auto* acc) HWY_ATTR {
    acc[0] = hn::Add(acc[0], load_wide(dd, dy + i));
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(bias_forward_slab);
HWY_EXPORT(bias_sums_slab);

void bias_forward_simd(const BiasForward& op, Buffers buffers, void*, Stream&) {
  const float* x = static_cast<const float*>(buffers[0]);     // [N, C, S]
  const float* bias = static_cast<const float*>(buffers[1]);  // [C]
  float* y = static_cast<float*>(buffers[2]);                 // [N, C, S]
  const ChannelSplit split(op.batch, op.channels, op.volume);
  parallel_for(split.blocks * split.groups, [&](std::int64_t i) {
    HWY_DYNAMIC_DISPATCH(bias_forward_slab)(split.slab(i / split.groups, i % split.groups), x, bias, y);
  });
}

void bias_backward_simd(const BiasBackward& op, Buffers buffers, void* workspace, Stream&) {
  const float* dy = static_cast<const float*>(buffers[0]);  // [N, C, S]
  float* dbias = static_cast<float*>(buffers[1]);           // [C]
  double* partial = static_cast<double*>(workspace);        // [groups, 1, C]
  const ChannelSplit split(op.batch, op.channels, op.volume);
  split.run(
      [&](const ChannelSlab& slab, std::int64_t group) {
        HWY_DYNAMIC_DISPATCH(bias_sums_slab)(slab, dy, partial + group * op.channels);
      },
      [&](std::int64_t c) { dbias[c] = static_cast<float>(split.total(partial, 1, 0, c)); },
      [](const ChannelSlab&) {});
}

std::size_t bias_backward_workspace(const BiasBackward& op) {
  const ChannelSplit split(op.batch, op.channels, op.volume);
  return static_cast<std::size_t>(split.groups * op.channels) * sizeof(double);
}

}  // namespace umbra
#endif
