// The weight gradient of a convolution as register tiles over the live taps, fp32:
//
//   dw[t][c][k] = sum over the tap's pairs (o, i) and samples n of  x[i][c][n] * dy[o][k][n]
//
// A tile is a block of input channels (broadcast from x) times a strip of output channels (vectors). For
// the latter dy is transposed once into panels [strip][o][n][k]. Where there are so many positions that a
// strip's panel exceeds the cache, they are divided into parts, each with separate sums, which are added in
// order at the end. This also gives work for more threads and smaller rounding errors.
#include <algorithm>
#include <string>

#include "engine/cpu/parallel.h"
#include "engine/cpu/sum_tile.h"
#include "engine/cpu/transpose.h"
#include "engine/ops/conv/declines.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/wgrad_tasks.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/workspace_allocator.h"

namespace umbra {
namespace {

constexpr std::int64_t kCachedPanel = 128 << 10;  // floats: 512 KiB of a second-level cache
constexpr std::int64_t kMostParts = 64;
constexpr std::int64_t kWantedTasks = 48;
constexpr double kFlopsPerChunk = 1e6;  // some 10 microseconds: less is not worth another thread
constexpr double kPrefetchBytes =
    1e6;  // more than this is not in a second-level cache when a training step uses it
constexpr std::int64_t kPrefetchSteps = 16;

struct Plan {
  std::int64_t strips, strip,
      padded;                         // strips of `strip` output channels, `padded` with the last one's zeros
  std::int64_t parts, tiles, groups;  // of output positions; tiles of input channels and groups of those
  bool prefetch;

  explicit Plan(const ConvGeometry& g) {
    const SumTileShape shape = sum_tile_shape();
    strip = shape.units * shape.unit;
    strips = (g.out_channels + strip - 1) / strip;
    padded = (g.out_channels + shape.unit - 1) / shape.unit * shape.unit;
    const std::int64_t panel = g.out_volume() * g.batch * std::min(strip, padded);
    parts = std::clamp<std::int64_t>((panel + kCachedPanel / 2) / kCachedPanel, 1,
                                     std::min(kMostParts, g.out_volume()));
    tiles = (g.in_channels + shape.rows - 1) / shape.rows;
    const std::int64_t tasks = strips * std::max<std::int64_t>(1, g.live_taps()) * parts;
    groups = std::clamp<std::int64_t>((kWantedTasks + tasks - 1) / tasks, 1, tiles);
    prefetch = g.batch >= kPrefetchSteps && conv_bytes(g) > kPrefetchBytes;
  }
  std::int64_t width(std::int64_t s) const { return std::min(strip, padded - s * strip); }
};

struct Space {
  std::span<std::int32_t> slots, begin;
  std::span<TapEntry> entries;
  std::span<float> panels;  // [strip][o][n][k of the strip, zeros after the last]
  std::span<float> sums;    // [part][live tap][Cin][Cout], unless there is only one part

  Space(WorkspaceAllocator& allocator, const ConvGeometry& g, const Plan& plan)
      : slots(allocator.take<std::int32_t>(g.taps())),
        begin(allocator.take<std::int32_t>(g.taps() + 1)),
        entries(allocator.take<TapEntry>(g.live_pairs())),
        panels(allocator.take<float>(g.out_volume() * g.batch * plan.padded)),
        sums(allocator.take<float>(
            plan.parts > 1 ? plan.parts * g.live_taps() * g.in_channels * g.out_channels : 0)) {}
};

// dy [o][k][n] -> panels
void transpose_output_gradient(const ConvGeometry& g, const Plan& plan, const float* dy, float* panels) {
  const std::int64_t N = g.batch, K = g.out_channels, O = g.out_volume();
  const std::int64_t grain = std::max<std::int64_t>(1, 32768 / (K * N));
  parallel_chunks(O, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      for (std::int64_t s = 0; s < plan.strips; ++s) {
        const std::int64_t k = s * plan.strip, width = plan.width(s);
        transpose(dy + (o * K + k) * N, N, std::min(width, K - k), N, panels + O * N * k + o * N * width,
                  width, width);
      }
    }
  });
}

struct Work {
  const ConvGeometry& g;
  const Plan& plan;
  const std::int32_t* begin;
  const TileSegment* segments;  // (input position, output position)
  const float *x, *panels;
  float* out;  // [part][live tap][Cin][Cout]
};

// Output positions of one part, one tap, one strip of output channels, one group of input channel tiles.
void run_task(const Work& w, std::int64_t part, std::int64_t s, std::int64_t tap, std::int64_t group) {
  const ConvGeometry& g = w.g;
  const Plan& plan = w.plan;
  const std::int64_t N = g.batch, C = g.in_channels, K = g.out_channels, O = g.out_volume();
  const std::span<const TileSegment> whole(w.segments + w.begin[tap], w.segments + w.begin[tap + 1]);
  const std::span<const TileSegment> list = part_of(whole, part, plan.parts, O);
  const std::int64_t k = s * plan.strip;
  SumTile t;
  t.lanes = std::min(plan.strip, K - k);
  t.steps = N;
  t.a_block = C * N;
  t.a_row = N;
  t.a_step = 1;
  t.b = w.panels + O * N * k;
  t.b_step = plan.width(s);
  t.b_block = N * t.b_step;
  t.c_row = K;
  t.add = false;
  t.b_padded = true;
  t.prefetch = plan.prefetch;
  const std::int64_t end = (group + 1) * plan.tiles / plan.groups;
  for (std::int64_t tile = group * plan.tiles / plan.groups; tile < end; ++tile) {
    const std::int64_t c = tile * C / plan.tiles;
    t.rows = (tile + 1) * C / plan.tiles - c;
    t.a = w.x + c * N;
    t.c = w.out + ((part * g.live_taps() + tap) * C + c) * K + k;
    sum_tile(t, list.data(), static_cast<std::int64_t>(list.size()));
  }
}

std::size_t workspace(const ConvWgrad& op) {
  WorkspaceAllocator allocator(nullptr);
  const Space space(allocator, op.geometry, Plan(op.geometry));
  return allocator.used();
}

void run(const ConvWgrad& op, Buffers b, void* memory, Stream&) {  // x, dy -> dw
  const ConvGeometry& g = op.geometry;
  const Plan plan(g);
  WorkspaceAllocator allocator(memory);
  const Space space(allocator, g, plan);
  const std::int64_t live = g.live_taps();
  if (live == 0) return;
  const TileSegment* segments = write_wgrad_segments(g, space.slots, space.begin, space.entries);
  transpose_output_gradient(g, plan, b.in(1), space.panels.data());
  auto* dw = b.out(2);
  const Work work{g,
                  plan,
                  space.begin.data(),
                  segments,
                  b.in(0),
                  space.panels.data(),
                  plan.parts > 1 ? space.sums.data() : dw};
  for_each_wgrad_task(plan, live, op.flops(), kFlopsPerChunk,
                      [&](std::int64_t part, std::int64_t strip, std::int64_t tap, std::int64_t group) {
                        run_task(work, part, strip, tap, group);
                      });
  if (plan.parts > 1) add_parts(space.sums.data(), plan.parts, live * g.in_channels * g.out_channels, dw);
}

}  // namespace

Kernel conv_wgrad_cpu_2_tiles() {
  return make_kernel<ConvWgrad, run, tiles_decline_unless_fp32<ConvOp>, workspace>();
}

}  // namespace umbra
