#include "tests/cuda/stem_work.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/ops/stem/cuda_2_lanes.h"

namespace umbra::cuda_test {
namespace {

using Json = nlohmann::json;

void add(Json& blocks, int count, int warps, int turns) {
  if (!blocks.empty() && blocks.back()[1] == warps && blocks.back()[2] == turns)
    blocks.back()[0] = blocks.back()[0].get<int>() + count;
  else
    blocks.push_back({count, warps, turns});
}

int taps_at(const StemAxisView& axis, int output) {
  return std::max(0, axis.last_tap(output) - axis.first_tap(output));
}

// pool_tile: a warp takes every twelfth job, a row of outputs of eight channels in the planes of a window; a turn
// is a row of the filter.
Json pool_tile(const StemView& v) {
  constexpr int kWarps = kStemPoolWarps;
  const StemPooling plan(v);
  const StemAxisView &d = v.axis[0], &h = v.axis[1];
  Json blocks = Json::array();
  for (int tile = 0; tile < static_cast<int>(plan.blocks(v)); ++tile) {
    const int tiles = plan.high * plan.wide, qd = from_the_middle(tile / tiles, d.pooled);
    const int qh = tile % tiles / plan.wide * kStemWindowsHigh;
    const int first = std::max(h.window(qh), h.live_begin),
              end = std::min(h.window(qh) + 2 * kStemWindowsHigh + 1, h.live_end);
    int planes = 0;  // taps along the depth
    for (int td = d.window_begin(qd); td < d.window_end(qd); ++td) planes += taps_at(d, d.window(qd) + td);
    for (int c = 0; c < plan.blocks_of_channels; ++c) {
      const int left = stem_tiles(v.channels - c * plan.tiles * kStemTileChannels, kStemTileChannels);
      const int parts = std::min(left, plan.tiles);
      std::vector<int> turns(kWarps);
      for (int job = 0; job < parts * (end - first); ++job)
        turns[static_cast<std::size_t>(job % kWarps)] +=
            v.in_channels * planes * taps_at(h, first + job / parts);
      add(blocks, stem_tiles(v.batch, kStemLanes32), kWarps, *std::max_element(turns.begin(), turns.end()));
    }
  }
  return blocks;
}

// sum_products: a warp takes every 15th pair of chunks; a turn is 16 outputs of two rows.
Json sum_products(const StemView& v) {
  constexpr int kWarps = 15;
  const StemGram gram(v);
  Json blocks = Json::array();
  for (int part = 0; part < gram.parts; ++part) {
    const int planes = std::min(gram.planes, gram.depth - part * gram.planes);
    add(blocks, v.batch, kWarps,
        stem_tiles(gram.pairs, kWarps) * planes * stem_tiles(gram.height, 2) * stem_tiles(gram.width, 16));
  }
  return blocks;
}

}  // namespace

Json stem_forward_turns(const StemGeometry& geometry) {
  const StemView v(geometry);
  return {{"pool_tile", pool_tile(v)}, {"sum_products", sum_products(v)}};
}

Json stem_backward_turns(const StemGeometry& geometry) {
  constexpr int kWarps = 32;  // sum_winners: a warp takes every 32nd channel, a turn
  const StemView v(geometry);
  Json blocks = Json::array();
  add(blocks, static_cast<int>(stem_backward_tiles(v)) * v.in_channels * stem_tiles(v.batch, kStemLanes32),
      kWarps, stem_tiles(v.channels, kWarps));
  return {{"sum_winners", blocks}};
}

}  // namespace umbra::cuda_test
