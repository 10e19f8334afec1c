// How cpu_2_fused divides [outer, C, inner]: into blocks of neighbouring channels, whose statistics and
// result one task computes while they are in its cache, and groups of outer positions, over which partial
// sums are taken. Both depend on the shape alone, so that results are bit-identical for any number of
// threads.
#pragma once

#include "engine/ops/shared/chunks.h"

namespace umbra {

struct ChannelBlocks {
  /// Elements per task: a few microseconds. Smaller problems stay on one thread.
  static constexpr std::int64_t kTaskElements = 6144;
  /// Elements per group of a block, so that the second read of a group finds it in the second-level cache.
  static constexpr std::int64_t kGroupElements = 1 << 14;

  ChannelBlocks(std::int64_t outer_, std::int64_t channels_, std::int64_t inner_)
      : outer(outer_),
        channels(channels_),
        inner(inner_),
        block(inner_ == 1 ? 32 : std::clamp<std::int64_t>(channels_ / 16, 1, 8)),
        blocks((channels_ + block - 1) / block),
        rows(std::clamp<std::int64_t>(kGroupElements / std::max<std::int64_t>(1, block * inner_), 1,
                                      std::max<std::int64_t>(1, outer_))),
        groups((outer_ + rows - 1) / rows),
        per_task(
            std::max<std::int64_t>(1, kTaskElements / std::max<std::int64_t>(1, outer_ * inner_ * block))) {}

  ChannelSlab slab(std::int64_t b, std::int64_t group) const {
    return {channels,     inner,
            b * block,    std::min(channels, (b + 1) * block),
            group * rows, std::min(outer, (group + 1) * rows)};
  }

  /// Calls sums(slab, group) for every slab, finish(c) for every channel, apply(slab) for every slab: block
  /// by block if there are enough blocks for all threads, else stage by stage over all slabs.
  template <class Sums, class Finish, class Apply>
  void run(const Sums& sums, const Finish& finish, const Apply& apply) const {
    const auto finish_block = [&](std::int64_t b) {
      for (std::int64_t c = b * block; c < std::min(channels, (b + 1) * block); ++c) finish(c);
    };
    if (groups == 1 || blocks >= omp_get_max_threads()) {
      parallel_chunks(blocks, per_task, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; ++b) {
          for (std::int64_t g = 0; g < groups; ++g) sums(slab(b, g), g);
          finish_block(b);
          for (std::int64_t g = groups - 1; g >= 0; --g) apply(slab(b, g));  // last: still in cache
        }
      });
      return;
    }
    parallel_for(blocks * groups, [&](std::int64_t i) { sums(slab(i / groups, i % groups), i % groups); });
    parallel_for(blocks, finish_block);
    for_slabs(apply);
  }
  /// apply(slab) for every slab.
  template <class Apply>
  void for_slabs(const Apply& apply) const {
    const std::int64_t elements = std::max<std::int64_t>(1, rows * inner * block);
    parallel_chunks(blocks * groups, std::max<std::int64_t>(1, kTaskElements / elements),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t i = begin; i < end; ++i) apply(slab(i / groups, i % groups));
                    });
  }

  /// Tensors of at least this size, 256 KB, are assumed to be in memory. Smaller ones are in some cache,
  /// and prefetching them costs a tenth of a call.
  static constexpr std::int64_t kPrefetchElements = 1 << 16;
  /// Prefetches all lines of a slab of [outer, C, inner]. Its rows are far apart, so that no hardware
  /// prefetcher predicts them, and a loop over them would wait for memory row by row. kWrite says whether
  /// they are about to be written. Always inlined: GCC considers a function that only prefetches to have no
  /// effect and removes calls of it.
  template <int kWrite>
  [[gnu::always_inline]] inline void prefetch(const ChannelSlab& slab, const float* p) const {
    if (p == nullptr || outer * channels * inner < kPrefetchElements) return;
    constexpr std::int64_t kLine = 64 / sizeof(float);
    for (std::int64_t n = slab.n0; n < slab.n1; ++n) {
      const float* row = p + n * slab.channels * slab.volume;
      const float* end = row + slab.c1 * slab.volume;
      for (const float* at = row + slab.c0 * slab.volume; at < end; at += kLine)
        __builtin_prefetch(at, kWrite, 2);
    }
  }

  /// The `which`-th of two sums of channel c, over all groups in order; partial is [groups, 2, C].
  double total(const double* partial, std::int64_t which, std::int64_t c) const {
    double sum = 0;
    for (std::int64_t g = 0; g < groups; ++g) sum += partial[(g * 2 + which) * channels + c];
    return sum;
  }

  std::int64_t outer, channels, inner;
  std::int64_t block, blocks;  // channels per block
  std::int64_t rows, groups;   // outer positions per group
  std::int64_t per_task;       // blocks
};

}  // namespace umbra
