// Shared by the tiled rungs of wgrad, independent of the type of tile: the list of a tap, the tasks, and
// the sum over parts.
#pragma once

#include <algorithm>
#include <span>

#include "engine/cpu/parallel.h"
#include "engine/cpu/sum_tile.h"
#include "engine/ops/conv/taps.h"

namespace umbra {

/// Writes every live tap's pairs as segments (a: input position, b: output position, ascending); those of tap
/// t are begin[t] … begin[t + 1] - 1. The arrays are those of write_live_tap_lists().
inline const TileSegment* write_wgrad_segments(const ConvGeometry& g, std::span<std::int32_t> slots,
                                               std::span<std::int32_t> begin, std::span<TapEntry> entries) {
  write_live_tap_lists(g, TapOrder::kByTap, slots, begin, entries);
  for (TapEntry& entry : entries) std::swap(entry.first, entry.second);
  static_assert(sizeof(TapEntry) == sizeof(TileSegment));
  return reinterpret_cast<const TileSegment*>(entries.data());
}

/// Of a tap's segments those whose outputs belong to part `part` of `parts`, of `outputs` positions in all.
inline std::span<const TileSegment> part_of(std::span<const TileSegment> tap, std::int64_t part,
                                            std::int64_t parts, std::int64_t outputs) {
  const auto at = [&](std::int64_t o) {
    return std::partition_point(tap.begin(), tap.end(), [&](const TileSegment& s) { return s.b < o; });
  };
  return {at(part * outputs / parts), at((part + 1) * outputs / parts)};
}

/// Calls run(part, strip, tap, group) for every task of a plan with that many parts, strips and groups,
/// several tasks per chunk where they are small.
template <class Plan, class Run>
void for_each_wgrad_task(const Plan& plan, std::int64_t live_taps, double flops, double flops_per_chunk,
                         const Run& run) {
  const std::int64_t tasks = plan.parts * plan.strips * live_taps * plan.groups;
  const auto grain = static_cast<std::int64_t>(flops_per_chunk * static_cast<double>(tasks) / flops);
  const auto chunk = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t tap = task / plan.groups, strip = tap / live_taps;
      run(strip / plan.strips, strip % plan.strips, tap % live_taps, task % plan.groups);
    }
  };
  parallel_chunks(tasks, std::clamp<std::int64_t>(grain, 1, tasks), chunk);
}

/// dw = the sums of all parts, added in order.
inline void add_parts(const float* sums, std::int64_t parts, std::int64_t count, float* dw) {
  parallel_chunks(count, 4096, [&](std::int64_t begin, std::int64_t end) {
    std::copy(sums + begin, sums + end, dw + begin);
    for (std::int64_t p = 1; p < parts; ++p) {
      for (std::int64_t i = begin; i < end; ++i) dw[i] += sums[p * count + i];
    }
  });
}

}  // namespace umbra
