// fprop and dgrad of a convolution with precision bf16, as register tiles of bfloat16 dot products over the
// live taps (engine/cpu/bf16_tile.h). (wgrad: cpu_4_bf16_wgrad.cpp.)
//
// The loops are those of cpu_2_tiles; operands are rounded on the way and stand in pairs along the summed
// channels:
//  - the source, used once per tap and tile, is rounded once into the workspace: [place][channel / 2][sample]
//    with samples padded to whole vectors. Positions that no tap sees are left out.
//  - weights are rounded by the task that uses them, a block at a time that stays in the second-level cache.
//    Small volumes use a weight so rarely that writing it back rounded would cost what bfloat16 saves.
// A block is some tiles of output channels x some steps x some taps. Blocks are cut by the problem alone, and
// sums between them rest in the output, so bits do not depend on threads.
#include <algorithm>
#include <array>
#include <string>

#include "engine/cpu/bf16_tile.h"
#include "engine/cpu/parallel.h"
#include "engine/ops/carver.h"
#include "engine/ops/conv/rungs.h"
#include "engine/ops/conv_cut.h"
#include "engine/ops/conv_taps.h"

namespace umbra {
namespace {

constexpr std::int64_t kBlock = 48 * 1024;         // words of a block of weights: 192 KiB on the task's stack
constexpr std::int64_t kNearWeights = 128 * 1024;  // floats; more do not stay in a second-level cache
constexpr std::int64_t kLine = 16;                 // floats in a cache line
constexpr std::int64_t kMostSteps = 1024;          // of a block
constexpr double kFlopsPerTask = 4e6;              // some 20 microseconds
constexpr std::int64_t kMostSmallTasks = 32;
constexpr double kFlopsPerLargeTask = 2e7;
constexpr std::int64_t kMostTasks = 64;
// Every chunk of places reads and rounds the weights anew, which costs so many times a reading of
// activations.
constexpr double kCostOfWeights = 4;

struct Pass {
  TapOrder order;
  std::int64_t rows, channels;   // channels of the output and of the source
  std::int64_t places, sources;  // positions of the output and of the source
  bool pairs_of_rows;            // weights of a pair of source channels are rows apart, not neighbours
  std::int64_t steps() const { return (channels + 1) / 2; }
};

Pass fprop_pass(const ConvGeometry& g) {
  return {TapOrder::kByOutput, g.out_channels, g.in_channels, g.out_volume(), g.in_volume(), true};
}
Pass dgrad_pass(const ConvGeometry& g) {
  return {TapOrder::kByInput, g.in_channels, g.out_channels, g.in_volume(), g.out_volume(), false};
}

// How the work is cut: a matter of the problem alone.
struct Plan {
  std::int64_t tiles, strips, strip, padded;  // channel tiles; strips of samples; samples with padding
  std::int64_t chunks, groups;                // of places, of channel tiles: tasks
  std::int64_t block_tiles, block_steps, block_taps;
  bool prefetch;

  Plan(const ConvGeometry& g, const Pass& pass) {
    const SumTileShape shape = bf16_tile_shape();
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
    const ConvCut cut = cheapest_cut(
        kCostOfWeights * static_cast<double>(g.live_taps() * g.in_channels * g.out_channels),
        static_cast<double>(pass.sources * pass.channels * g.batch), pass.places * strips, tiles, wanted);
    chunks = cut.chunks;
    groups = cut.groups;
    const std::int64_t live = std::max<std::int64_t>(1, g.live_taps());
    const std::int64_t group_tiles = (tiles + groups - 1) / groups;
    block_steps = std::min(pass.steps(), kMostSteps);
    block_tiles = std::clamp<std::int64_t>(kBlock / (block_steps * shape.rows), 1, group_tiles);
    block_taps = std::clamp<std::int64_t>(kBlock / (block_steps * block_tiles * shape.rows), 1, live);
    prefetch = live * g.in_channels * g.out_channels > kNearWeights;
  }

  std::int64_t first_row(const Pass& pass, std::int64_t tile) const { return tile * pass.rows / tiles; }
};

struct Space {
  std::span<std::int32_t> slots, begin;
  std::span<TapEntry> entries;
  std::span<std::int32_t> live_sources;
  std::span<std::uint32_t> source;  // [place][pair of channels][sample, padded]

  Space(Carver& carver, const ConvGeometry& g, const Pass& pass, const Plan& plan)
      : slots(carver.take<std::int32_t>(g.taps())),
        begin(carver.take<std::int32_t>(tap_list_count(g, pass.order) + 1)),
        entries(carver.take<TapEntry>(g.live_pairs())),
        live_sources(carver.take<std::int32_t>(pass.sources)),
        source(carver.take<std::uint32_t>(pass.sources * pass.steps() * plan.padded)) {}
};

void round_source(const ConvGeometry& g, const Pass& pass, const Plan& plan, const Space& space,
                  const float* source) {
  if (pass.order == TapOrder::kByOutput) number_live_inputs(g, space.live_sources);
  if (pass.order == TapOrder::kByInput) number_live_outputs(g, space.live_sources);
  const std::int64_t words = pass.steps() * plan.padded;
  parallel_chunks(pass.sources, std::max<std::int64_t>(1, 16384 / words),
                  [&](std::int64_t from, std::int64_t to) {
                    for (std::int64_t p = from; p < to; ++p) {
                      if (space.live_sources[static_cast<std::size_t>(p)] < 0) continue;
                      bf16_pair_rows(source + p * pass.channels * g.batch, g.batch, pass.channels, g.batch,
                                     space.source.data() + p * words, plan.padded, plan.padded);
                    }
                  });
}

struct Work {
  const ConvGeometry& g;
  const Pass& pass;
  const Plan& plan;
  std::int64_t live;
  const std::int32_t* begin;
  const TileSegment* segments;
  const float* weights;
  const std::uint32_t* source;
  float* out;
};

// Weights of some taps, steps and rows: [tap][step][row] or [tap][row][step], whatever lies in memory alike.
struct Block {
  std::int64_t tile, tile_end, tap, tap_end, step, steps, row, rows;
};

void round_weights(const Work& w, const Block& b, std::uint32_t* block) {
  const std::int64_t C = w.g.in_channels, K = w.g.out_channels;
  const std::int64_t count = std::min(2 * b.steps, w.pass.channels - 2 * b.step);
  for (std::int64_t t = b.tap; t < b.tap_end; ++t, block += b.steps * b.rows) {
    const float* tap = w.weights + t * C * K;
    if (w.pass.pairs_of_rows) {
      bf16_pair_rows(tap + 2 * b.step * K + b.row, K, count, b.rows, block, b.rows, b.rows);
    } else {
      bf16_pair_columns(tap + b.row * K + 2 * b.step, K, b.rows, count, block, b.steps);
    }
  }
}

// A block's weights as the tiles of the block before it ask for them: rows, or lines of neighbouring rows.
SoonWanted soon_wanted(const Work& w, const Block& b) {
  const std::int64_t C = w.g.in_channels, K = w.g.out_channels;
  SoonWanted soon;
  soon.outer = C * K;
  soon.step = w.pass.pairs_of_rows ? K : kLine;
  soon.inner = w.plan.block_steps * soon.step;
  const std::int64_t steps = w.pass.pairs_of_rows ? 2 * b.steps : (b.rows * K + kLine - 1) / kLine;
  soon.per = (steps + w.plan.block_steps - 1) / w.plan.block_steps;
  soon.parts = soon.per * (b.tap_end - b.tap);
  soon.width = w.pass.pairs_of_rows ? b.rows - 1 : 0;
  soon.p = w.weights + b.tap * C * K + (w.pass.pairs_of_rows ? 2 * b.step * K + b.row : b.row * K);
  return soon;
}

// What segments [from, to) of place p contribute through one block.
void run_place(const Work& w, const Block& b, const std::uint32_t* block, std::int64_t p, std::int64_t strip,
               std::int32_t from, std::int32_t to, SoonWanted& soon) {
  const std::int64_t N = w.g.batch, lane = strip * w.plan.strip;
  Bf16Tile t;
  t.lanes = std::min(w.plan.strip, N - lane);
  t.steps = b.steps;
  t.a_first = b.tap;
  t.a_block = b.steps * b.rows;
  t.a_row = w.pass.pairs_of_rows ? 1 : b.steps;
  t.a_step = w.pass.pairs_of_rows ? b.rows : 1;
  t.b = w.source + b.step * w.plan.padded + lane;
  t.b_block = w.pass.steps() * w.plan.padded;
  t.b_step = w.plan.padded;
  t.c_row = N;
  t.add = from != w.begin[p] || b.step > 0;
  for (std::int64_t tile = b.tile; tile < b.tile_end; ++tile) {
    const std::int64_t row = w.plan.first_row(w.pass, tile);
    t.rows = w.plan.first_row(w.pass, tile + 1) - row;
    t.a = block + (row - b.row) * t.a_row;
    t.c = w.out + (p * w.pass.rows + row) * N + lane;
    t.soon = soon;
    bf16_tile(t, w.segments + from, to - from);
    soon.first += to - from;
  }
}

// All places (a position and a strip each) of a chunk with one block of weights.
void run_block(const Work& w, const Block& b, std::uint32_t* block, std::int64_t first, std::int64_t last,
               SoonWanted soon) {
  round_weights(w, b, block);
  for (std::int64_t place = first; place < last; ++place) {
    const std::int64_t p = place / w.plan.strips;
    const auto at = [&](std::int64_t t) {
      return static_cast<std::int32_t>(std::partition_point(w.segments + w.begin[p],
                                                            w.segments + w.begin[p + 1],
                                                            [&](const TileSegment& s) { return s.a < t; }) -
                                       w.segments);
    };
    const std::int32_t from = at(b.tap), to = at(b.tap_end);
    const bool empty = w.begin[p] == w.begin[p + 1];  // sees only padding: an empty sum, written once
    if (from < to || (empty && b.tap == 0 && b.step == 0)) {
      run_place(w, b, block, p, place % w.plan.strips, from, to, soon);
    }
  }
}

// The blocks of a group of channel tiles, in order: rows, then taps, then steps.
struct Blocks {
  const Work& w;
  std::int64_t tile, tile_end, of_tiles, of_taps, of_steps;

  Blocks(const Work& work, std::int64_t group) : w(work) {
    const Plan& plan = w.plan;
    tile = group * plan.tiles / plan.groups;
    tile_end = (group + 1) * plan.tiles / plan.groups;
    of_tiles = (tile_end - tile + plan.block_tiles - 1) / plan.block_tiles;
    of_taps = std::max<std::int64_t>(1, (w.live + plan.block_taps - 1) / plan.block_taps);
    of_steps = (w.pass.steps() + plan.block_steps - 1) / plan.block_steps;
  }
  std::int64_t count() const { return of_tiles * of_taps * of_steps; }
  Block at(std::int64_t i) const {
    const Plan& plan = w.plan;
    Block b;
    b.step = i % of_steps * plan.block_steps;
    b.steps = std::min(plan.block_steps, w.pass.steps() - b.step);
    b.tap = i / of_steps % of_taps * plan.block_taps;
    b.tap_end = std::min(w.live, b.tap + plan.block_taps);
    b.tile = tile + i / of_steps / of_taps * plan.block_tiles;
    b.tile_end = std::min(tile_end, b.tile + plan.block_tiles);
    b.row = plan.first_row(w.pass, b.tile);
    b.rows = plan.first_row(w.pass, b.tile_end) - b.row;
    return b;
  }
};

// The places of one chunk with the channel tiles of one group, block by block.
void run_task(const Work& w, std::int64_t task) {
  const Plan& plan = w.plan;
  alignas(64) std::array<std::uint32_t, kBlock> block;
  const std::int64_t count = w.pass.places * plan.strips, chunk = task % plan.chunks;
  const std::int64_t first = chunk * count / plan.chunks, last = (chunk + 1) * count / plan.chunks;
  const Blocks blocks(w, task / plan.chunks);
  for (std::int64_t i = 0; i < blocks.count(); ++i) {
    SoonWanted soon;
    if (plan.prefetch && i + 1 < blocks.count()) {
      soon = soon_wanted(w, blocks.at(i + 1));
    } else if (plan.prefetch) {  // of the task likely to come to this thread: a hint, no bit depends on it
      const std::int64_t next = (task + omp_get_num_threads()) / plan.chunks;
      if (next < plan.groups) soon = soon_wanted(w, Blocks(w, next).at(0));
    }
    run_block(w, blocks.at(i), block.data(), first, last, soon);
  }
}

void run_pass(const ConvGeometry& g, const Pass& pass, const void* source, const void* weights, void* out,
              void* workspace) {
  const Plan plan(g, pass);
  Carver carver(workspace);
  const Space space(carver, g, pass, plan);
  write_live_tap_lists(g, pass.order, space.slots, space.begin, space.entries);
  static_assert(sizeof(TapEntry) == sizeof(TileSegment));
  round_source(g, pass, plan, space, static_cast<const float*>(source));
  const Work work{g,
                  pass,
                  plan,
                  g.live_taps(),
                  space.begin.data(),
                  reinterpret_cast<const TileSegment*>(space.entries.data()),
                  static_cast<const float*>(weights),
                  space.source.data(),
                  static_cast<float*>(out)};
  parallel_for(plan.chunks * plan.groups, [&](std::int64_t task) { run_task(work, task); });
}

std::size_t workspace_of(const ConvGeometry& g, const Pass& pass) {
  Carver carver(nullptr);
  const Space space(carver, g, pass, Plan(g, pass));
  return carver.used();
}

std::string fprop_declines(const ConvFprop& op) {
  return declines_as_bf16(op);
}
std::string dgrad_declines(const ConvDgrad& op) {
  return declines_as_bf16(op);
}
std::size_t fprop_workspace(const ConvFprop& op) {
  return workspace_of(op.geometry, fprop_pass(op.geometry));
}
std::size_t dgrad_workspace(const ConvDgrad& op) {
  return workspace_of(op.geometry, dgrad_pass(op.geometry));
}

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream&) {  // x, w -> y
  run_pass(op.geometry, fprop_pass(op.geometry), b[0], b[1], b[2], workspace);
}
void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  run_pass(op.geometry, dgrad_pass(op.geometry), b[0], b[1], b[2], workspace);
}

}  // namespace

std::string declines_as_bf16(const ConvOp& op) {
  if (op.precision != Precision::kBf16) return "it computes with precision bf16 only";
  if (!bf16_tile_supported()) return "this CPU has no bfloat16 dot product (AVX-512 BF16 or Arm's BF16)";
  return too_many_positions(op.geometry);
}

Kernel conv_fprop_cpu_4_bf16() {
  return make_kernel<ConvFprop, fprop, fprop_declines, fprop_workspace>("conv_fprop", "cpu_4_bf16",
                                                                        DType::kF32);
}
Kernel conv_dgrad_cpu_4_bf16() {
  return make_kernel<ConvDgrad, dgrad, dgrad_declines, dgrad_workspace>("conv_dgrad", "cpu_4_bf16",
                                                                        DType::kF32);
}

}  // namespace umbra
