#include "engine/ops/stem/cpu_1_lanes_plan.h"

#include <algorithm>
#include <cmath>

namespace umbra {
namespace {

/// The earliest pair of taps on an axis that reads the same pairs of inputs as (t, u).
struct TapPair {
  std::int64_t t, u;
};
struct InputPairs {
  std::int64_t first, count;  // input of t in the first output that reads both; outputs
};
InputPairs inputs_of(const StemAxis& a, std::int64_t t, std::int64_t u) {
  InputPairs pairs{0, 0};
  for (std::int64_t o = a.live_begin; o < a.live_end; ++o) {
    if (std::min(t, u) < a.first_tap(o) || std::max(t, u) >= a.last_tap(o)) continue;
    if (pairs.count++ == 0) pairs.first = a.start(o) + t;
  }
  return pairs;
}
TapPair earliest(const StemAxis& a, std::int64_t t, std::int64_t u) {
  const InputPairs mine = inputs_of(a, t, u);
  for (std::int64_t s = std::max<std::int64_t>(0, t - u); s < t; ++s) {
    if (a.rank[static_cast<std::size_t>(s)] < 0 || a.rank[static_cast<std::size_t>(s + u - t)] < 0) continue;
    const InputPairs other = inputs_of(a, s, s + u - t);
    if (other.count == mine.count && (mine.count == 0 || other.first == mine.first)) return {s, s + u - t};
  }
  return {t, u};
}

std::int64_t pair_index(std::int64_t chunks, std::int64_t a, std::int64_t b) {
  return a * chunks - a * (a - 1) / 2 + (b - a);
}

}  // namespace

StemPlan::StemPlan(const StemGeometry& geometry)
    : g(geometry),
      d(g.axis(0)),
      h(g.axis(1)),
      w(g.axis(2)),
      patch(g.patch()),
      pooled{g.pool_out(0), g.pool_out(1), g.pool_out(2)},
      left(0),
      padded(w.in) {
  if (w.live_begin < w.live_end) {
    left = std::max<std::int64_t>(0, -w.start(w.live_begin));
    padded = left + std::max(w.in, w.start(w.live_end - 1) + w.kernel);
  }
}

void StemPlan::fill_chunks(StemChunk* out) const {
  const auto rank = [](const StemAxis& a, std::int64_t t) { return a.rank[static_cast<std::size_t>(t)]; };
  for (std::int64_t td = 0; td < d.kernel; ++td) {
    for (std::int64_t th = 0; th < h.kernel; ++th) {
      if (rank(d, td) < 0 || rank(h, th) < 0) continue;
      for (std::int64_t ci = 0; ci < g.in_channels; ++ci) {
        StemChunk chunk{};
        const auto finish = [&] {
          for (std::int32_t i = chunk.count; i < kStemTaps; ++i) {
            chunk.cell[i] = chunk.cell[chunk.count - 1];
            chunk.k[i] = chunk.k[chunk.count - 1];
          }
          *out++ = chunk;
          chunk.count = 0;
        };
        for (std::int64_t tw = 0; tw < w.kernel; ++tw) {
          if (rank(w, tw) < 0) continue;
          chunk.td = static_cast<std::int32_t>(td);
          chunk.th = static_cast<std::int32_t>(th);
          const std::int64_t slot = (rank(d, td) * h.live_taps + rank(h, th)) * w.live_taps + rank(w, tw);
          chunk.cell[chunk.count] = static_cast<std::int32_t>(cell_of(0, tw) + ci);
          chunk.k[chunk.count++] = static_cast<std::int32_t>(slot * g.in_channels + ci);
          if (chunk.count == kStemTaps) finish();
        }
        if (chunk.count > 0) finish();
      }
    }
  }
}

void StemPlan::fill_pairs(const StemChunk* table, StemPair* out) const {
  const std::int64_t per_tap = g.in_channels * chunks_per_row(), count = chunks();
  const auto chunk_at = [&](std::int64_t td, std::int64_t th, std::int64_t like) {
    const std::int64_t row =
        d.rank[static_cast<std::size_t>(td)] * h.live_taps + h.rank[static_cast<std::size_t>(th)];
    return row * per_tap + like % per_tap;
  };
  for (std::int64_t a = 0; a < count; ++a) {
    for (std::int64_t b = a; b < count; ++b) {
      const TapPair on_d = earliest(d, table[a].td, table[b].td),
                    on_h = earliest(h, table[a].th, table[b].th);
      const std::int64_t first = chunk_at(on_d.t, on_h.t, a), second = chunk_at(on_d.u, on_h.u, b);
      *out++ = {
          static_cast<std::int32_t>(a), static_cast<std::int32_t>(b),
          static_cast<std::int32_t>(pair_index(count, std::min(first, second), std::max(first, second))),
          first > second};
    }
  }
}

std::string stem_lanes_declines(const StemGeometry& g) {
  constexpr std::int64_t kLargestPatch = 256;
  return g.patch() <= kLargestPatch
             ? ""
             : "it supports patches of at most 256 numbers (taps times input channels)";
}

std::int64_t stem_box_floats(const StemPlan& plan) {
  return plan.groups() * plan.box_cells() * kStemGroup;
}

bool stem_pack_filters(const StemPlan& plan, const float* w, const float* sign, float* filters) {
  const std::int64_t patch = plan.patch, channels = plan.g.channels;
  bool tame = true;
  for (std::int64_t block = 0; block < plan.blocks(); ++block) {
    double size[kStemBlock] = {};
    for (std::int64_t k = 0; k < patch; ++k) {
      float* to = filters + (block * patch + k) * kStemBlock;
      for (std::int64_t r = 0; r < kStemBlock; ++r) {
        const std::int64_t c = block * kStemBlock + r;
        to[r] = c < channels ? w[k * channels + c] * sign[c] : 0.0f;
        size[r] += static_cast<double>(std::abs(to[r]));
      }
    }
    for (double s : size) tame = tame && s <= static_cast<double>(kStemTame);
  }
  return tame;
}

}  // namespace umbra
