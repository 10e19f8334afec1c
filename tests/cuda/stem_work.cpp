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

// pool_tile: a warp per row of outputs walks through the planes below its block's windows; a turn is a row of the
// filter.
Json pool_tile(const StemView& v) {
  const StemPooling plan(v, stem_shared());
  const StemAxisView &d = v.axis[0], &h = v.axis[1];
  const auto most_taps = [](const StemAxisView& axis, int begin, int end) {
    int most = 0;
    for (int output = begin; output < end; ++output) most = std::max(most, taps_at(axis, output));
    return most;
  };
  Json blocks = Json::array();
  const int alike = plan.wide * stem_tiles(v.channels, kStemTileChannels) * stem_tiles(v.batch, kStemLanes32);
  for (int qd = 0; qd < d.pooled; qd += plan.windows_deep) {
    int taps = 0;  // along the depth
    for (int od = d.window(qd); od <= d.window(qd) + 2 * plan.windows_deep; ++od)
      if (d.lives(od)) taps += taps_at(d, od);
    for (int qh = 0; qh < h.pooled; qh += plan.windows_high) {
      const int rows = most_taps(h, std::max(h.window(qh), h.live_begin),
                                 std::min(h.window(qh) + 2 * plan.windows_high + 1, h.live_end));
      add(blocks, alike, plan.rows, v.in_channels * taps * rows);
    }
  }
  return blocks;
}

// sum_products, of numbers with themselves: a warp takes every twelfth row of outputs of its block's planes; a turn is 16
// outputs.
Json sum_products(const StemView& v) {
  const StemGram gram(v);
  Json blocks = Json::array();
  for (int part = 0; part < gram.parts; ++part) {
    const int planes = std::min(gram.planes, gram.depth - part * gram.planes);
    add(blocks, v.batch * gram.quads, kStemGramWarps,
        stem_tiles(planes * gram.height, kStemGramWarps) * gram.across);
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
