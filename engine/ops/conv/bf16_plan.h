// How the work of the loop in engine/ops/conv/bf16_tiles.cpp is divided; this depends on the problem alone.
#pragma once

#include <algorithm>

#include "engine/cpu/sum_tile.h"
#include "engine/ops/conv/taps.h"
#include "engine/ops/conv/work_split.h"

namespace umbra {

/// Words of a block of weights, which is on the stack of the task that uses it.
inline constexpr std::int64_t kBf16BlockWords = 48 << 10;  // 192 KiB

struct Bf16Pass {
  TapOrder order;
  std::int64_t rows, channels;   // channels of the output and of the source
  std::int64_t places, sources;  // positions of the output and of the source
  std::int64_t together;         // source channels per step
  std::int64_t steps() const { return (channels + together - 1) / together; }
  /// Weights of neighbouring source channels are in different rows, not adjacent.
  bool by_rows() const { return order == TapOrder::kByOutput; }
};

inline Bf16Pass bf16_fprop_pass(const ConvGeometry& g, std::int64_t together) {
  return {TapOrder::kByOutput, g.out_channels, g.in_channels, g.out_volume(), g.in_volume(), together};
}
inline Bf16Pass bf16_dgrad_pass(const ConvGeometry& g, std::int64_t together) {
  return {TapOrder::kByInput, g.in_channels, g.out_channels, g.in_volume(), g.out_volume(), together};
}

struct Bf16Plan {
  std::int64_t tiles, strips, strip, padded;  // channel tiles; strips of samples; samples with padding
  std::int64_t chunks, groups;                // of places, of channel tiles: each pair is a task
  std::int64_t block_tiles, block_steps, block_taps;
  bool prefetch;

  Bf16Plan(const ConvGeometry& g, const Bf16Pass& pass, const SumTileShape& shape) {
    constexpr std::int64_t kNearWeights = 128 << 10;  // more do not stay in a second-level cache
    constexpr std::int64_t kMostSteps = 1024;         // of a block
    constexpr double kFlopsPerTask = 4e6;             // some 20 microseconds
    constexpr std::int64_t kMostSmallTasks = 32;
    constexpr double kFlopsPerLargeTask = 2e7;
    constexpr std::int64_t kMostTasks = 64;
    // Every chunk of places reads and packs the weights again, which costs this many times as much as
    // reading the same number of activations.
    constexpr double kCostOfWeights = 4;
    tiles = (pass.rows + shape.rows - 1) / shape.rows;
    strip = shape.units * shape.unit;
    strips = (g.batch + strip - 1) / strip;
    padded = (g.batch + shape.unit - 1) / shape.unit * shape.unit;
    const double flops = 2.0 * static_cast<double>(g.live_pairs()) * static_cast<double>(g.in_channels) *
                         static_cast<double>(g.out_channels * g.batch);
    const auto small = static_cast<std::int64_t>(flops / kFlopsPerTask);
    const auto large = static_cast<std::int64_t>(flops / kFlopsPerLargeTask);
    const std::int64_t wanted =
        std::max(std::clamp<std::int64_t>(small, 1, kMostSmallTasks), std::min(large, kMostTasks));
    const WorkSplit split = cheapest_split(
        kCostOfWeights * static_cast<double>(g.live_taps() * g.in_channels * g.out_channels),
        static_cast<double>(pass.sources * pass.channels * g.batch), pass.places * strips, tiles, wanted);
    chunks = split.chunks;
    groups = split.groups;
    const std::int64_t live = std::max<std::int64_t>(1, g.live_taps());
    const std::int64_t group_tiles = (tiles + groups - 1) / groups;
    block_steps = std::min(pass.steps(), kMostSteps);
    block_tiles = std::clamp<std::int64_t>(kBf16BlockWords / (block_steps * shape.rows), 1, group_tiles);
    block_taps =
        std::clamp<std::int64_t>(kBf16BlockWords / (block_steps * block_tiles * shape.rows), 1, live);
    prefetch = live * g.in_channels * g.out_channels > kNearWeights;
  }

  std::int64_t first_row(const Bf16Pass& pass, std::int64_t tile) const { return tile * pass.rows / tiles; }
};

/// Weights of some taps, steps and rows: [tap][step][row] or [tap][row][step], in the order of the source.
struct Bf16Block {
  std::int64_t tile, tile_end, tap, tap_end, step, steps, row, rows;
};

/// The blocks of a group of channel tiles, in order: rows, then taps, then steps.
class Bf16Blocks {
 public:
  Bf16Blocks(const Bf16Pass& pass, const Bf16Plan& plan, std::int64_t live, std::int64_t group)
      : pass_(pass),
        plan_(plan),
        live_(live),
        tile_(group * plan.tiles / plan.groups),
        tile_end_((group + 1) * plan.tiles / plan.groups),
        of_tiles_((tile_end_ - tile_ + plan.block_tiles - 1) / plan.block_tiles),
        of_taps_(std::max<std::int64_t>(1, (live + plan.block_taps - 1) / plan.block_taps)),
        of_steps_((pass.steps() + plan.block_steps - 1) / plan.block_steps) {}
  std::int64_t count() const { return of_tiles_ * of_taps_ * of_steps_; }
  Bf16Block at(std::int64_t i) const {
    Bf16Block b;
    b.step = i % of_steps_ * plan_.block_steps;
    b.steps = std::min(plan_.block_steps, pass_.steps() - b.step);
    b.tap = i / of_steps_ % of_taps_ * plan_.block_taps;
    b.tap_end = std::min(live_, b.tap + plan_.block_taps);
    b.tile = tile_ + i / of_steps_ / of_taps_ * plan_.block_tiles;
    b.tile_end = std::min(tile_end_, b.tile + plan_.block_tiles);
    b.row = plan_.first_row(pass_, b.tile);
    b.rows = plan_.first_row(pass_, b.tile_end) - b.row;
    return b;
  }

 private:
  const Bf16Pass& pass_;
  const Bf16Plan& plan_;
  std::int64_t live_, tile_, tile_end_, of_tiles_, of_taps_, of_steps_;
};

}  // namespace umbra
