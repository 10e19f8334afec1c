// fprop and dgrad of a convolution as register tiles over the live taps, fp32, which read weights and
// activations in place.
//
// A block of outputs is the sum, over a list, of products of a block of weights with a block of activations
// (engine/cpu/sum_tile.h); both passes are the same loop:
//
//   pass    outputs                       list of                 steps   broadcast         vectors
//   fprop   channels of an output place   (tap, input position)   Cin     w[t][step][row] x[i][step][sample]
//   dgrad   channels of an input place    (tap, output position)  Cout    w[t][row][step] dy[o][step][sample]
//
// Padding has no entry in the lists, so there are no masks and no edge code. A task is a block of channels
// at a chunk of places; within it taps are processed in groups whose weights stay in the second-level cache
// while all places use them. Sums are stored in the output between groups, so the order of every sum is
// that of its list, however the work is divided.
#include "engine/ops/conv/tiles.h"

#include <algorithm>

#include "engine/cpu/parallel.h"
#include "engine/ops/conv/taps.h"
#include "engine/ops/conv/work_split.h"
#include "engine/ops/shared/workspace_allocator.h"

namespace umbra {
namespace {

constexpr std::int64_t kCachedWeights = 98304;  // floats of a group of taps: 384 KiB of a second-level cache
constexpr double kFlopsPerTask = 2e6;           // some 20 microseconds
constexpr std::int64_t kMostTasks = 128;
constexpr double kPrefetchBytes =
    1e6;  // more than this is not in a second-level cache when a training step uses it
constexpr std::int64_t kPrefetchSteps = 16;

struct Pass {
  TapOrder order;
  std::int64_t rows, steps;      // channels of the output and of the source
  std::int64_t a_row, a_step;    // strides of the weights
  std::int64_t places, sources;  // positions of the output and of the source
};

Pass fprop_pass(const ConvGeometry& g) {
  return {TapOrder::kByOutput, g.out_channels, g.in_channels, 1,
          g.out_channels,      g.out_volume(), g.in_volume()};
}

Pass dgrad_pass(const ConvGeometry& g) {
  return {TapOrder::kByInput, g.in_channels, g.out_channels, g.out_channels, 1,
          g.in_volume(),      g.out_volume()};
}

// How the work is divided; this depends on the problem alone.
struct Plan {
  std::int64_t tiles, strips, strip;  // channel tiles; strips of `strip` samples
  std::int64_t chunks, groups;        // of places, of channel tiles: each pair is a task
  std::int64_t taps_together;
  bool prefetch;

  Plan(const ConvGeometry& g, const Pass& pass) {
    const SumTileShape shape = sum_tile_shape();
    tiles = (pass.rows + shape.rows - 1) / shape.rows;
    strip = shape.units * shape.unit;
    strips = (g.batch + strip - 1) / strip;
    const double flops = 2.0 * static_cast<double>(g.live_pairs()) * static_cast<double>(g.in_channels) *
                         static_cast<double>(g.out_channels * g.batch);
    const auto wanted =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(flops / kFlopsPerTask), 1, kMostTasks);
    const WorkSplit split = cheapest_split(
        static_cast<double>(g.live_taps() * g.in_channels * g.out_channels),
        static_cast<double>(pass.sources * pass.steps * g.batch), pass.places * strips, tiles, wanted);
    chunks = split.chunks;
    groups = split.groups;
    const std::int64_t width = (tiles + groups - 1) / groups * shape.rows;
    taps_together = std::max<std::int64_t>(1, kCachedWeights / (pass.steps * width));
    prefetch = pass.steps >= kPrefetchSteps && conv_bytes(g) > kPrefetchBytes;
    if (pass.places <= chunks) taps_together = g.taps();  // one place per task: nothing is used twice
  }
};

struct Lists {
  std::span<std::int32_t> slots, begin;
  std::span<TapEntry> entries;

  Lists(WorkspaceAllocator& allocator, const ConvGeometry& g, TapOrder order)
      : slots(allocator.take<std::int32_t>(g.taps())),
        begin(allocator.take<std::int32_t>(tap_list_count(g, order) + 1)),
        entries(allocator.take<TapEntry>(g.live_pairs())) {}
};

struct Work {
  const ConvGeometry& g;
  const Pass& pass;
  const Plan& plan;
  const std::int32_t* begin;
  const TileSegment* segments;
  const float *weights, *source;
  float* out;
  const TileEpilogue* epilogue;
};

// Adds the sums that segments [from, to) of place p contribute to channel tiles [tile, tile_end) of one
// strip. Tiles that the last of its segments completes are passed to the epilogue.
void run_place(const Work& w, std::int64_t p, std::int64_t strip, std::int64_t tile, std::int64_t tile_end,
               std::int32_t from, std::int32_t to) {
  const std::int64_t N = w.g.batch, lane = strip * w.plan.strip;
  SumTile t;
  t.lanes = std::min(w.plan.strip, N - lane);
  t.steps = w.pass.steps;
  t.a_block = w.g.in_channels * w.g.out_channels;
  t.a_row = w.pass.a_row;
  t.a_step = w.pass.a_step;
  t.b = w.source + lane;
  t.b_block = w.pass.steps * N;
  t.b_step = N;
  t.c_row = N;
  t.add = from != w.begin[p];
  t.b_padded = false;
  t.prefetch = w.plan.prefetch;
  const bool complete = to == w.begin[p + 1];
  for (; tile < tile_end; ++tile) {
    const std::int64_t row = tile * w.pass.rows / w.plan.tiles;
    t.rows = (tile + 1) * w.pass.rows / w.plan.tiles - row;
    t.a = w.weights + row * w.pass.a_row;
    t.c = w.out + (p * w.pass.rows + row) * N + lane;
    const OutputTile done{t.c, t.c_row, t.rows, t.lanes, t.c - w.out, row};
    if (w.epilogue != nullptr && complete && t.prefetch) w.epilogue->prefetch(done);
    sum_tile(t, w.segments + from, to - from);
    if (w.epilogue != nullptr && complete) w.epilogue->run(done);
  }
}

// The places (a position and a strip each) of one chunk with the channel tiles of one group.
void run_task(const Work& w, std::int64_t chunk, std::int64_t group) {
  const Plan& plan = w.plan;
  const std::int64_t count = w.pass.places * plan.strips, live = w.g.live_taps();
  const std::int64_t first = chunk * count / plan.chunks, last = (chunk + 1) * count / plan.chunks;
  const std::int64_t tile = group * plan.tiles / plan.groups,
                     tile_end = (group + 1) * plan.tiles / plan.groups;
  for (std::int64_t tap = 0; tap < live || tap == 0; tap += plan.taps_together) {
    for (std::int64_t place = first; place < last; ++place) {
      const std::int64_t p = place / plan.strips;
      const auto at = [&](std::int64_t t) {
        return static_cast<std::int32_t>(std::partition_point(w.segments + w.begin[p],
                                                              w.segments + w.begin[p + 1],
                                                              [&](const TileSegment& s) { return s.a < t; }) -
                                         w.segments);
      };
      const bool empty = w.begin[p] == w.begin[p + 1];  // only padding: an empty sum, written once
      const bool all = plan.taps_together >= live;
      const std::int32_t from = all ? w.begin[p] : at(tap),
                         to = all ? w.begin[p + 1] : at(tap + plan.taps_together);
      if (from < to || (empty && tap == 0)) run_place(w, p, place % plan.strips, tile, tile_end, from, to);
    }
  }
}

std::size_t workspace_of(const ConvGeometry& g, TapOrder order) {
  WorkspaceAllocator allocator(nullptr);
  const Lists lists(allocator, g, order);
  return allocator.used();
}

void run_pass(const ConvGeometry& g, const Pass& pass, const float* source, const float* weights, float* out,
              void* workspace, const TileEpilogue* epilogue) {
  WorkspaceAllocator allocator(workspace);
  const Lists lists(allocator, g, pass.order);
  write_live_tap_lists(g, pass.order, lists.slots, lists.begin, lists.entries);
  static_assert(sizeof(TapEntry) == sizeof(TileSegment));
  const Plan plan(g, pass);
  const Work work{g,
                  pass,
                  plan,
                  lists.begin.data(),
                  reinterpret_cast<const TileSegment*>(lists.entries.data()),
                  weights,
                  source,
                  out,
                  epilogue};
  parallel_for(plan.chunks * plan.groups,
               [&](std::int64_t task) { run_task(work, task % plan.chunks, task / plan.chunks); });
}

}  // namespace

std::size_t conv_fprop_tiles_workspace(const ConvGeometry& g) {
  return workspace_of(g, TapOrder::kByOutput);
}
std::size_t conv_dgrad_tiles_workspace(const ConvGeometry& g) {
  return workspace_of(g, TapOrder::kByInput);
}

void conv_fprop_tiles(const ConvGeometry& g, const float* x, const float* w, float* y, void* workspace,
                      const TileEpilogue* epilogue) {
  run_pass(g, fprop_pass(g), x, w, y, workspace, epilogue);
}
void conv_dgrad_tiles(const ConvGeometry& g, const float* dy, const float* w, float* dx, void* workspace) {
  run_pass(g, dgrad_pass(g), dy, w, dx, workspace, nullptr);
}

}  // namespace umbra
