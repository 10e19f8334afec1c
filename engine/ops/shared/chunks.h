// How the CPU rungs divide their work. The division depends on the problem alone, never on the number of
// threads: a sum over chunks in index order is then bit-identical for any number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/cpu/parallel.h"

namespace umbra {

/// Elements per chunk of an elementwise loop: 64 KB of float, a few microseconds of work.
inline constexpr std::int64_t kElementGrain = 1 << 14;

inline std::int64_t chunk_count(std::int64_t count) {
  return (count + kElementGrain - 1) / kElementGrain;
}

/// Rows of `columns` numbers that make up about one grain.
inline std::int64_t rows_per_chunk(std::int64_t columns) {
  return std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, columns));
}

/// Sums per_chunk(begin, end) over the chunks of [0, count), in index order; partial holds chunk_count(count)
/// values.
template <class T, class PerChunk>
T sum_over_chunks(std::int64_t count, T* partial, const PerChunk& per_chunk) {
  parallel_chunks(count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    partial[begin / kElementGrain] = per_chunk(begin, end);
  });
  T total = 0;
  for (std::int64_t c = 0; c < chunk_count(count); ++c) total += partial[c];
  return total;
}

/// A part of an activation [N, C, S]: samples [n0, n1) of channels [c0, c1).
struct ChannelSlab {
  std::int64_t channels, volume;
  std::int64_t c0, c1, n0, n1;
};

/// Divides [N, C, S] for sums per channel: blocks of channels times groups of samples of about one grain.
/// With S = 1 neighbouring numbers belong to different channels, so a block is then a run of channels that
/// fills vectors.
struct ChannelSplit {
  ChannelSplit(std::int64_t n, std::int64_t c, std::int64_t s)
      : batch(n),
        channels(c),
        volume(s),
        rows_per_group(std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, s))),
        groups((n + rows_per_group - 1) / rows_per_group),
        block(s == 1 ? 64 : 1),
        blocks((c + block - 1) / block) {}

  ChannelSlab slab(std::int64_t b, std::int64_t group) const {
    return {channels,
            volume,
            b * block,
            std::min(channels, (b + 1) * block),
            group * rows_per_group,
            std::min(batch, (group + 1) * rows_per_group)};
  }
  /// Calls sums(slab, group) for every slab; then finish(c) for every channel; then apply(slab) for every
  /// slab. If there are enough blocks for all threads, a block goes through all three steps while its
  /// numbers are in cache; otherwise each step runs over all slabs before the next starts. The work per
  /// channel and its order are the same in both cases, and so the results are bit-identical.
  template <class Sums, class Finish, class Apply>
  void run(const Sums& sums, const Finish& finish, const Apply& apply) const {
    const auto finish_block = [&](std::int64_t b) {
      const ChannelSlab all = slab(b, 0);
      for (std::int64_t c = all.c0; c < all.c1; ++c) finish(c);
    };
    if (blocks >= omp_get_max_threads()) {
      parallel_for(blocks, [&](std::int64_t b) {
        for (std::int64_t g = 0; g < groups; ++g) sums(slab(b, g), g);
        finish_block(b);
        for (std::int64_t g = 0; g < groups; ++g) apply(slab(b, g));
      });
      return;
    }
    parallel_for(blocks * groups, [&](std::int64_t i) { sums(slab(i / groups, i % groups), i % groups); });
    parallel_for(blocks, finish_block);
    parallel_for(blocks * groups, [&](std::int64_t i) { apply(slab(i / groups, i % groups)); });
  }

  /// The `which`-th of `per_channel` sums of channel c, over all groups in order. partial is [groups,
  /// per_channel, C].
  double total(const double* partial, std::int64_t per_channel, std::int64_t which, std::int64_t c) const {
    double sum = 0;
    for (std::int64_t g = 0; g < groups; ++g) sum += partial[(g * per_channel + which) * channels + c];
    return sum;
  }

  std::int64_t batch, channels, volume;
  std::int64_t rows_per_group, groups;
  std::int64_t block, blocks;
};

}  // namespace umbra
