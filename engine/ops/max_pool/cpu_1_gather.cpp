// Max pooling forward, a vector of outputs at a time. For every tap a list holds the input index of every
// output of one channel; taps that fall into the padding are clamped to the nearest real input, which the
// window sees anyway: seeing it again changes nothing, not even which of several equal values or NaNs is
// taken, because whole lines of the window repeat in place. So there are no edges, and the lists serve all
// channels.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/max_pool/cpu_1_gather.cpp"
#include <algorithm>

#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/max_pool/op.h"
#include "engine/ops/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// One channel: x [in_volume] -> y, argmax [outputs]; lists [taps, outputs].
void max_pool_channel(const float* x, const std::int32_t* lists, std::int64_t taps, std::int64_t outputs,
                      float* y, std::int32_t* argmax) {
  for_lanes<float>(outputs, [&](auto d, std::int64_t o) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    auto best_at = hn::LoadU(di, lists + o);
    auto best = hn::GatherIndex(d, x, best_at);
    for (std::int64_t t = 1; t < taps; ++t) {
      const auto at = hn::LoadU(di, lists + t * outputs + o);
      const auto value = hn::GatherIndex(d, x, at);
      const auto wins = hn::Or(hn::Gt(value, best), hn::IsNaN(value));
      best = hn::IfThenElse(wins, value, best);
      best_at = hn::IfThenElse(hn::RebindMask(di, wins), at, best_at);
    }
    hn::StoreU(best, d, y + o);
    hn::StoreU(best_at, di, argmax + o);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(max_pool_channel);

namespace {

std::int64_t tap_count(const PoolGeometry& g) {
  return g.kernel[0] * g.kernel[1] * g.kernel[2];
}

/// The input coordinate that tap t of output o sees on `axis`, clamped to the volume.
std::int64_t clamped(const PoolGeometry& g, std::int64_t o, std::int64_t t, int axis) {
  const auto a = static_cast<std::size_t>(axis);
  return std::clamp<std::int64_t>(o * g.stride[a] - g.padding[a] + t, 0, g.in[a] - 1);
}

/// lists [taps, outputs]
void fill_lists(const PoolGeometry& g, std::int32_t* lists) {
  for (std::int64_t tap = 0; tap < tap_count(g); ++tap) {
    const std::int64_t td = tap / (g.kernel[1] * g.kernel[2]), th = tap / g.kernel[2] % g.kernel[1];
    for (std::int64_t od = 0; od < g.out(0); ++od) {
      for (std::int64_t oh = 0; oh < g.out(1); ++oh) {
        const std::int64_t line = (clamped(g, od, td, 0) * g.in[1] + clamped(g, oh, th, 1)) * g.in[2];
        for (std::int64_t ow = 0; ow < g.out(2); ++ow) {
          *lists++ = static_cast<std::int32_t>(line + clamped(g, ow, tap % g.kernel[2], 2));
        }
      }
    }
  }
}

}  // namespace

void max_pool_forward_gather(const MaxPoolForward& op, Buffers buffers, void* workspace, Stream&) {
  const PoolGeometry& g = op.geometry;
  const float* x = static_cast<const float*>(buffers[0]);         // [N, C, D, H, W]
  float* y = static_cast<float*>(buffers[1]);                     // [N, C, oD, oH, oW]
  std::int32_t* argmax = static_cast<std::int32_t*>(buffers[2]);  // [N, C, oD, oH, oW]
  std::int32_t* lists = static_cast<std::int32_t*>(workspace);    // [taps, outputs]
  fill_lists(g, lists);
  const std::int64_t outputs = g.out_volume(), grain = rows_per_chunk(g.in_volume());
  parallel_chunks(g.batch * g.channels, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(max_pool_channel)
      (x + row * g.in_volume(), lists, tap_count(g), outputs, y + row * outputs, argmax + row * outputs);
    }
  });
}

std::size_t max_pool_forward_workspace(const MaxPoolForward& op) {
  return static_cast<std::size_t>(tap_count(op.geometry) * op.geometry.out_volume()) * sizeof(std::int32_t);
}

}  // namespace umbra
#endif
