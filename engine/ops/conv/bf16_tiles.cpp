// fprop and dgrad with operands rounded to bfloat16, as register tiles over the live taps.
//
// The loops are those of engine/ops/conv/tiles.cpp; operands are first packed into words of one or two of
// the summed channels (engine/ops/conv/bf16_sums.h):
//  - the source, used once per tap and tile, is rounded once into the workspace: [place][step][sample] with
//    samples padded to whole vectors. Positions that no tap uses are left out.
//  - weights are packed by the task that uses them, a block at a time that stays in the second-level cache.
//    Small volumes use a weight so rarely that writing it back packed would cost what bfloat16 saves.
// A block is some tiles of output channels x some steps x some taps. The problem alone determines the
// blocks, and sums are stored in the output between blocks, so results do not depend on the number of
// threads.
#include "engine/ops/conv/bf16_tiles.h"

#include <array>

#include "engine/cpu/parallel.h"
#include "engine/ops/conv/bf16_plan.h"
#include "engine/ops/conv/bf16_sums.h"
#include "engine/ops/shared/workspace_allocator.h"

namespace umbra {
namespace {

constexpr std::int64_t kLine = 64;  // bytes of a cache line

template <class Sums>
struct Space {
  std::span<std::int32_t> slots, begin;
  std::span<TapEntry> entries;
  std::span<std::int32_t> live_sources;
  std::span<typename Sums::Word> source;  // [place][step][sample, padded]

  Space(WorkspaceAllocator& allocator, const ConvGeometry& g, const Bf16Pass& pass, const Bf16Plan& plan)
      : slots(allocator.take<std::int32_t>(g.taps())),
        begin(allocator.take<std::int32_t>(tap_list_count(g, pass.order) + 1)),
        entries(allocator.take<TapEntry>(g.live_pairs())),
        live_sources(allocator.take<std::int32_t>(pass.sources)),
        source(allocator.take<typename Sums::Word>(pass.sources * pass.steps() * plan.padded)) {}
};

template <class Sums>
void round_source(const ConvGeometry& g, const Bf16Pass& pass, const Bf16Plan& plan, const Space<Sums>& space,
                  const float* source) {
  if (pass.by_rows()) {
    number_live_inputs(g, space.live_sources);
  } else {
    number_live_outputs(g, space.live_sources);
  }
  const std::int64_t words = pass.steps() * plan.padded;
  parallel_chunks(pass.sources, std::max<std::int64_t>(1, 16384 / words),
                  [&](std::int64_t from, std::int64_t to) {
                    for (std::int64_t p = from; p < to; ++p) {
                      if (space.live_sources[static_cast<std::size_t>(p)] < 0) continue;
                      Sums::pack_rows(source + p * pass.channels * g.batch, g.batch, pass.channels, g.batch,
                                      space.source.data() + p * words, plan.padded, plan.padded);
                    }
                  });
}

// W: the type of the weights in memory.
template <class Sums, class W>
struct Work {
  const ConvGeometry& g;
  const Bf16Pass& pass;
  const Bf16Plan& plan;
  std::int64_t live;
  const std::int32_t* begin;
  const TileSegment* segments;
  const W* weights;
  const typename Sums::Word* source;
  float* out;
  const TileEpilogue* epilogue;
};

template <class Sums, class W>
void pack_weights(const Work<Sums, W>& w, const Bf16Block& b, typename Sums::Word* block) {
  const std::int64_t C = w.g.in_channels, K = w.g.out_channels, first = b.step * Sums::kChannels;
  const std::int64_t count = std::min(b.steps * Sums::kChannels, w.pass.channels - first);
  for (std::int64_t t = b.tap; t < b.tap_end; ++t, block += b.steps * b.rows) {
    const W* tap = w.weights + t * C * K;
    if (w.pass.by_rows()) Sums::pack_rows(tap + first * K + b.row, K, count, b.rows, block, b.rows, b.rows);
    if constexpr (std::is_same_v<Sums, Bf16Dots> && std::is_same_v<W, float>) {
      if (!w.pass.by_rows()) bf16_pair_columns(tap + b.row * K + first, K, b.rows, count, block, b.steps);
    }
  }
}

// A block's weights in the order in which the tiles of the block before prefetch them: rows, or lines of
// neighbouring rows.
template <class Sums, class W>
SoonWanted soon_wanted(const Work<Sums, W>& w, const Bf16Block& b) {
  const std::int64_t C = w.g.in_channels, K = w.g.out_channels, first = b.step * Sums::kChannels;
  constexpr auto kBytes = static_cast<std::int64_t>(sizeof(W));
  const bool by_rows = w.pass.by_rows();
  SoonWanted soon;
  soon.outer = C * K * kBytes;
  soon.step = by_rows ? K * kBytes : kLine;
  soon.inner = w.plan.block_steps * soon.step;
  const std::int64_t steps = by_rows ? b.steps * Sums::kChannels : (b.rows * K * kBytes + kLine - 1) / kLine;
  soon.per = (steps + w.plan.block_steps - 1) / w.plan.block_steps;
  soon.parts = soon.per * (b.tap_end - b.tap);
  soon.width = by_rows ? (b.rows - 1) * kBytes : 0;
  soon.p = reinterpret_cast<const std::byte*>(w.weights + b.tap * C * K +
                                              (by_rows ? first * K + b.row : b.row * K));
  return soon;
}

// Adds the contribution of segments [from, to) of place p through one block. Tiles that the last of them
// completes are passed to the epilogue.
template <class Sums, class W>
void run_place(const Work<Sums, W>& w, const Bf16Block& b, const typename Sums::Word* block, std::int64_t p,
               std::int64_t strip, std::int32_t from, std::int32_t to, SoonWanted& soon) {
  const std::int64_t N = w.g.batch, lane = strip * w.plan.strip;
  const bool last = from == to || (to == w.begin[p + 1] && b.step + b.steps == w.pass.steps());
  typename Sums::Tile t;
  t.lanes = std::min(w.plan.strip, N - lane);
  t.steps = b.steps;
  t.a_first = b.tap;
  t.a_block = b.steps * b.rows;
  t.a_row = w.pass.by_rows() ? 1 : b.steps;
  t.a_step = w.pass.by_rows() ? b.rows : 1;
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
    const OutputTile done{t.c, t.c_row, t.rows, t.lanes, t.c - w.out, row};
    if (w.epilogue != nullptr && last && w.plan.prefetch) w.epilogue->prefetch(done);
    Sums::run(t, w.segments + from, to - from);
    if (w.epilogue != nullptr && last) w.epilogue->run(done);
    soon.first += to - from;
  }
}

// All places (a position and a strip each) of a chunk with one block of weights.
template <class Sums, class W>
void run_block(const Work<Sums, W>& w, const Bf16Block& b, typename Sums::Word* block, std::int64_t first,
               std::int64_t last, SoonWanted soon) {
  pack_weights(w, b, block);
  for (std::int64_t place = first; place < last; ++place) {
    const std::int64_t p = place / w.plan.strips;
    const auto at = [&](std::int64_t t) {
      return static_cast<std::int32_t>(std::partition_point(w.segments + w.begin[p],
                                                            w.segments + w.begin[p + 1],
                                                            [&](const TileSegment& s) { return s.a < t; }) -
                                       w.segments);
    };
    const std::int32_t from = at(b.tap), to = at(b.tap_end);
    const bool empty = w.begin[p] == w.begin[p + 1];  // only padding: an empty sum, written once
    if (from < to || (empty && b.tap == 0 && b.step == 0)) {
      run_place(w, b, block, p, place % w.plan.strips, from, to, soon);
    }
  }
}

// The places of one chunk with the channel tiles of one group, block by block.
template <class Sums, class W>
void run_task(const Work<Sums, W>& w, std::int64_t task) {
  const Bf16Plan& plan = w.plan;
  alignas(64) std::array<typename Sums::Word, kBf16BlockWords> block;
  const std::int64_t count = w.pass.places * plan.strips, chunk = task % plan.chunks;
  const std::int64_t first = chunk * count / plan.chunks, last = (chunk + 1) * count / plan.chunks;
  const auto blocks_of = [&](std::int64_t group) { return Bf16Blocks(w.pass, plan, w.live, group); };
  const Bf16Blocks blocks = blocks_of(task / plan.chunks);
  for (std::int64_t i = 0; i < blocks.count(); ++i) {
    SoonWanted soon;
    if (plan.prefetch && i + 1 < blocks.count()) {
      soon = soon_wanted(w, blocks.at(i + 1));
    } else if (plan.prefetch) {  // likely this thread's next task: no result depends on it
      const std::int64_t next = (task + omp_get_num_threads()) / plan.chunks;
      if (next < plan.groups) soon = soon_wanted(w, blocks_of(next).at(0));
    }
    run_block(w, blocks.at(i), block.data(), first, last, soon);
  }
}

template <class Sums, class W>
void run_pass(const ConvGeometry& g, const Bf16Pass& pass, const float* source, const W* weights, float* out,
              void* workspace, const TileEpilogue* epilogue) {
  const Bf16Plan plan(g, pass, Sums::shape());
  WorkspaceAllocator allocator(workspace);
  const Space<Sums> space(allocator, g, pass, plan);
  write_live_tap_lists(g, pass.order, space.slots, space.begin, space.entries);
  static_assert(sizeof(TapEntry) == sizeof(TileSegment));
  round_source(g, pass, plan, space, source);
  const Work<Sums, W> work{g,
                           pass,
                           plan,
                           g.live_taps(),
                           space.begin.data(),
                           reinterpret_cast<const TileSegment*>(space.entries.data()),
                           weights,
                           space.source.data(),
                           out,
                           epilogue};
  parallel_for(plan.chunks * plan.groups, [&](std::int64_t task) { run_task(work, task); });
}

template <class Sums>
std::size_t workspace_of(const ConvGeometry& g, const Bf16Pass& pass) {
  WorkspaceAllocator allocator(nullptr);
  const Space<Sums> space(allocator, g, pass, Bf16Plan(g, pass, Sums::shape()));
  return allocator.used();
}

template <class Sums>
void run_fprop(const ConvGeometry& g, const float* x, const void* w, DType weights, float* y, void* workspace,
               const TileEpilogue* epilogue) {
  const Bf16Pass pass = bf16_fprop_pass(g, Sums::kChannels);
  if (weights == DType::kBf16) {
    run_pass<Sums>(g, pass, x, static_cast<const Bf16*>(w), y, workspace, epilogue);
  } else {
    run_pass<Sums>(g, pass, x, static_cast<const float*>(w), y, workspace, epilogue);
  }
}

}  // namespace

std::size_t conv_fprop_bf16_workspace(const ConvGeometry& g, Bf16Sums sums) {
  return sums == Bf16Sums::kDots ? workspace_of<Bf16Dots>(g, bf16_fprop_pass(g, Bf16Dots::kChannels))
                                 : workspace_of<Bf16Wide>(g, bf16_fprop_pass(g, Bf16Wide::kChannels));
}

void conv_fprop_bf16(const ConvGeometry& g, Bf16Sums sums, const float* x, const void* w, DType weights,
                     float* y, void* workspace, const TileEpilogue* epilogue) {
  if (sums == Bf16Sums::kDots) return run_fprop<Bf16Dots>(g, x, w, weights, y, workspace, epilogue);
  run_fprop<Bf16Wide>(g, x, w, weights, y, workspace, epilogue);
}

std::size_t conv_dgrad_bf16_workspace(const ConvGeometry& g) {
  return workspace_of<Bf16Dots>(g, bf16_dgrad_pass(g, Bf16Dots::kChannels));
}

void conv_dgrad_bf16(const ConvGeometry& g, const float* dy, const float* w, float* dx, void* workspace) {
  run_pass<Bf16Dots>(g, bf16_dgrad_pass(g, Bf16Dots::kChannels), dy, w, dx, workspace, nullptr);
}

}  // namespace umbra
