// The weight gradient of a convolution with precision bf16, as register tiles of bfloat16 dot products
// (engine/cpu/bf16_tile.h). The loops are those of cpu_2_tiles_wgrad, on pairs of samples:
//
//   dw[t][c][k] = sum over the tap's pairs (o, i) and pairs m of samples of  x[i][c][m] . dy[o][k][m]
//
// Both operands are rounded once into the workspace: x in its own order, dy transposed into panels
// [strip of output channels][o][m][k].
#include <algorithm>
#include <array>
#include <string>

#include "engine/cpu/bf16_tile.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/transpose.h"
#include "engine/ops/conv/declines.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/wgrad_tasks.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/workspace_allocator.h"

namespace umbra {
namespace {

constexpr std::int64_t kCachedPanel = 128 << 10;  // words: 512 KiB of a second-level cache
constexpr std::int64_t kMostParts = 64;
constexpr std::int64_t kWantedTasks = 48;
constexpr double kFlopsPerChunk = 2e6;    // some 10 microseconds: less is not worth another thread
constexpr std::int64_t kTransposed = 32;  // samples and channels transposed at a time

struct Plan {
  std::int64_t pairs;  // of samples
  std::int64_t strips, strip,
      padded;                         // strips of `strip` output channels, `padded` with the last one's zeros
  std::int64_t parts, tiles, groups;  // of output positions; tiles of input channels and groups of those

  explicit Plan(const ConvGeometry& g) {
    const SumTileShape shape = bf16_tile_shape();
    pairs = (g.batch + 1) / 2;
    strip = shape.units * shape.unit;
    strips = (g.out_channels + strip - 1) / strip;
    padded = (g.out_channels + shape.unit - 1) / shape.unit * shape.unit;
    const std::int64_t panel = g.out_volume() * pairs * std::min(strip, padded);
    parts = std::clamp<std::int64_t>((panel + kCachedPanel / 2) / kCachedPanel, 1,
                                     std::min(kMostParts, g.out_volume()));
    tiles = (g.in_channels + shape.rows - 1) / shape.rows;
    const std::int64_t tasks = strips * std::max<std::int64_t>(1, g.live_taps()) * parts;
    groups = std::clamp<std::int64_t>((kWantedTasks + tasks - 1) / tasks, 1, tiles);
  }
  std::int64_t width(std::int64_t s) const { return std::min(strip, padded - s * strip); }
};

struct Space {
  std::span<std::int32_t> slots, begin;
  std::span<TapEntry> entries;
  std::span<std::int32_t> live_inputs, live_outputs;
  std::span<std::uint32_t> x;       // [i][Cin][pair of samples]
  std::span<std::uint32_t> panels;  // [strip][o][pair of samples][k of the strip, zeros after the last]
  std::span<float> sums;            // [part][live tap][Cin][Cout], unless there is only one part

  Space(WorkspaceAllocator& allocator, const ConvGeometry& g, const Plan& plan)
      : slots(allocator.take<std::int32_t>(g.taps())),
        begin(allocator.take<std::int32_t>(g.taps() + 1)),
        entries(allocator.take<TapEntry>(g.live_pairs())),
        live_inputs(allocator.take<std::int32_t>(g.in_volume())),
        live_outputs(allocator.take<std::int32_t>(g.out_volume())),
        x(allocator.take<std::uint32_t>(g.in_volume() * g.in_channels * plan.pairs)),
        panels(allocator.take<std::uint32_t>(g.out_volume() * plan.pairs * plan.padded)),
        sums(allocator.take<float>(
            plan.parts > 1 ? plan.parts * g.live_taps() * g.in_channels * g.out_channels : 0)) {}
};

void round_inputs(const ConvGeometry& g, const Plan& plan, const Space& space, const float* x) {
  number_live_inputs(g, space.live_inputs);
  const std::int64_t C = g.in_channels, N = g.batch;
  parallel_chunks(
      g.in_volume(), std::max<std::int64_t>(1, 32768 / (C * N)), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          if (space.live_inputs[static_cast<std::size_t>(i)] < 0) continue;
          bf16_pair_columns(x + i * C * N, N, C, N, space.x.data() + i * C * plan.pairs, plan.pairs);
        }
      });
}

// One strip of dy at one output position, [k][n], to [pair of n][k]; `channels` of `width` exist.
void round_strip(const float* dy, std::int64_t samples, std::int64_t channels, std::uint32_t* panel,
                 std::int64_t width) {
  alignas(64) std::array<float, kTransposed * kTransposed> part;  // [n][k]
  static_assert(kTransposed % 2 == 0);
  for (std::int64_t n = 0; n < samples; n += kTransposed) {
    const std::int64_t count = std::min(kTransposed, samples - n);
    for (std::int64_t k = 0; k < width; k += kTransposed) {
      const std::int64_t columns = std::min(kTransposed, width - k);
      const std::int64_t real = std::clamp<std::int64_t>(channels - k, 0, columns);
      transpose(dy + k * samples + n, samples, real, count, part.data(), kTransposed, columns);
      bf16_pair_rows(part.data(), kTransposed, count, columns, panel + n / 2 * width + k, width, columns);
    }
  }
}

void round_output_gradient(const ConvGeometry& g, const Plan& plan, const Space& space, const float* dy) {
  number_live_outputs(g, space.live_outputs);
  const std::int64_t N = g.batch, K = g.out_channels, O = g.out_volume();
  parallel_chunks(O, std::max<std::int64_t>(1, 32768 / (K * N)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      if (space.live_outputs[static_cast<std::size_t>(o)] < 0) continue;
      for (std::int64_t s = 0; s < plan.strips; ++s) {
        const std::int64_t k = s * plan.strip, width = plan.width(s);
        round_strip(dy + (o * K + k) * N, N, std::min(width, K - k),
                    space.panels.data() + (O * k + o * width) * plan.pairs, width);
      }
    }
  });
}

struct Work {
  const ConvGeometry& g;
  const Plan& plan;
  const std::int32_t* begin;
  const TileSegment* segments;  // (input position, output position)
  const std::uint32_t *x, *panels;
  float* out;  // [part][live tap][Cin][Cout]
};

// Output positions of one part, one tap, one strip of output channels, one group of input channel tiles.
void run_task(const Work& w, std::int64_t part, std::int64_t s, std::int64_t tap, std::int64_t group) {
  const ConvGeometry& g = w.g;
  const Plan& plan = w.plan;
  const std::int64_t C = g.in_channels, K = g.out_channels, O = g.out_volume();
  const std::span<const TileSegment> whole(w.segments + w.begin[tap], w.segments + w.begin[tap + 1]);
  const std::span<const TileSegment> list = part_of(whole, part, plan.parts, O);
  const std::int64_t k = s * plan.strip;
  Bf16Tile t;
  t.lanes = std::min(plan.strip, K - k);
  t.steps = plan.pairs;
  t.a_first = 0;
  t.a_block = C * plan.pairs;
  t.a_row = plan.pairs;
  t.a_step = 1;
  t.b = w.panels + O * plan.pairs * k;
  t.b_step = plan.width(s);
  t.b_block = plan.pairs * t.b_step;
  t.c_row = K;
  t.add = false;
  const std::int64_t end = (group + 1) * plan.tiles / plan.groups;
  for (std::int64_t tile = group * plan.tiles / plan.groups; tile < end; ++tile) {
    const std::int64_t c = tile * C / plan.tiles;
    t.rows = (tile + 1) * C / plan.tiles - c;
    t.a = w.x + c * plan.pairs;
    t.c = w.out + ((part * g.live_taps() + tap) * C + c) * K + k;
    bf16_tile(t, list.data(), static_cast<std::int64_t>(list.size()));
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
  round_inputs(g, plan, space, b.in(0));
  round_output_gradient(g, plan, space, b.in(1));
  auto* dw = b.out(2);
  const Work work{g,
                  plan,
                  space.begin.data(),
                  segments,
                  space.x.data(),
                  space.panels.data(),
                  plan.parts > 1 ? space.sums.data() : dw};
  for_each_wgrad_task(plan, live, op.flops(), kFlopsPerChunk,
                      [&](std::int64_t part, std::int64_t strip, std::int64_t tap, std::int64_t group) {
                        run_task(work, part, strip, tap, group);
                      });
  if (plan.parts > 1) add_parts(space.sums.data(), plan.parts, live * g.in_channels * g.out_channels, dw);
}

}  // namespace

Kernel conv_wgrad_cpu_6_bf16() {
  return make_kernel<ConvWgrad, run, declines_unless_bf16_dots<ConvOp>, workspace>();
}

}  // namespace umbra
