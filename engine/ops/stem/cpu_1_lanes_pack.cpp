// Converts boxes from sample first to samples in lanes, by 4 x 4 transpositions of runs of positions.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/stem/cpu_1_lanes_pack.cpp"
#include <hwy/cache_control.h>

#include <algorithm>
#include <atomic>

#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/ops/stem/cpu_1_lanes_plan.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// to[i * to_stride + r] = from[r * from_stride + i] for r, i < 4
HWY_INLINE void transpose_four(const float* from, std::int64_t from_stride, float* to,
                               std::int64_t to_stride) {
#if HWY_TARGET == HWY_SCALAR
  for (int r = 0; r < 4; ++r) {
    for (int i = 0; i < 4; ++i) to[i * to_stride + r] = from[r * from_stride + i];
  }
#else
  const hn::Full128<float> d;
  const hn::Full128<double> pairs;
  const auto a = hn::LoadU(d, from), b = hn::LoadU(d, from + from_stride);
  const auto c = hn::LoadU(d, from + 2 * from_stride), e = hn::LoadU(d, from + 3 * from_stride);
  const auto ab01 = hn::BitCast(pairs, hn::InterleaveLower(d, a, b));
  const auto ab23 = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
  const auto ce01 = hn::BitCast(pairs, hn::InterleaveLower(d, c, e));
  const auto ce23 = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab01, ce01)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab01, ce01)), d, to + to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab23, ce23)), d, to + 2 * to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab23, ce23)), d, to + 3 * to_stride);
#endif
}

/// Whether the first `width` numbers of every row of [length][step] are at most kStemTame in size.
bool is_tame(const float* row, std::int64_t length, std::int64_t step, std::int64_t width) {
  const hn::ScalableTag<float> d;
  const auto limit = hn::Set(d, kStemTame);
  auto tame = hn::Eq(limit, limit);
  for (std::int64_t i = 0; i < length; ++i) {
    for (std::int64_t l = 0; l < width; l += static_cast<std::int64_t>(hn::Lanes(d)))
      tame = hn::And(tame, hn::Le(hn::Abs(hn::LoadU(d, row + i * step + l)), limit));
  }
  return hn::AllTrue(d, tame);
}

/// Packs one row of W of all samples of a group; `to` is [W][step], of which `width` are written, zeros
/// after the last sample. Returns whether all numbers are tame.
bool stem_pack_row(const float* from, std::int64_t sample_stride, std::int64_t samples, std::int64_t length,
                   float* to, std::int64_t step, std::int64_t width) {
  const std::int64_t whole = length < 4 ? 0 : samples / 4 * 4;
  // A row is short and there are many samples: without prefetching, each sample begins with a cache miss.
  for (std::int64_t n = 0; n < samples; ++n) {
    for (std::int64_t i = 0; i < length; i += 16) hwy::Prefetch(from + n * sample_stride + 2 * length + i);
  }
  for (std::int64_t i = 0; whole > 0 && i < length; i += 4) {
    const std::int64_t first = std::min(i, length - 4);  // the last four overlap those before
    for (std::int64_t n = 0; n < whole; n += 4)
      transpose_four(from + n * sample_stride + first, sample_stride, to + first * step + n, step);
  }
  for (std::int64_t i = 0; whole < width && i < length; ++i) {
    for (std::int64_t n = whole; n < samples; ++n) to[i * step + n] = from[n * sample_stride + i];
    std::fill(to + i * step + samples, to + i * step + width, 0.0f);
  }
  return is_tame(to, length, step, width);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(stem_pack_row);

bool stem_pack_boxes(const StemPlan& plan, const float* x, float* boxes) {
  std::atomic<bool> tame{true};
  const StemGeometry& g = plan.g;
  const std::int64_t volume = g.in_volume(), stride = g.in_channels * volume;
  const std::int64_t behind = plan.padded - plan.left - g.in[2];
  parallel_for(plan.groups() * g.in[0], [&](std::int64_t task) {
    const std::int64_t group = task / g.in[0], d = task % g.in[0], width = plan.width(group);
    const std::int64_t step = g.in_channels * width;
    float* to = boxes + (group * plan.box_cells()) * kStemGroup + d * g.in[1] * plan.row_cells() * width;
    const float* from = x + group * kStemGroup * stride + d * g.in[1] * g.in[2];
    for (std::int64_t row = 0; row < g.in[1]; ++row, to += plan.padded * step, from += g.in[2]) {
      std::fill_n(to, plan.left * step, 0.0f);
      std::fill_n(to + (plan.left + g.in[2]) * step, behind * step, 0.0f);
      for (std::int64_t ci = 0; ci < g.in_channels; ++ci) {
        const bool row_tame =
            HWY_DYNAMIC_DISPATCH(stem_pack_row)(from + ci * volume, stride, plan.samples(group), g.in[2],
                                                to + plan.left * step + ci * width, step, width);
        if (!row_tame) tame.store(false, std::memory_order_relaxed);
      }
    }
  });
  return tame;
}

}  // namespace umbra
#endif
