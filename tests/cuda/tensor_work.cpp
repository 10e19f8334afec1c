#include "tests/cuda/tensor_work.h"

#include <algorithm>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "engine/cuda/tile/tensor_specialised.h"

namespace umbra::cuda_test {
namespace {

using Json = nlohmann::json;

// The units, as bits, for which each entry of a tile's list touches data.
std::vector<unsigned> masks_of_tile(const TensorWalk& walk, int unit0, int units, int result) {
  const TapBox live = walk.map.live();
  const int here = std::min(units, walk.units() - unit0);
  if (walk.pairs) {
    const Place tap = live.at(result);
    const Box box{walk.map.d.outputs_of_tap(tap.d), walk.map.h.outputs_of_tap(tap.h),
                  walk.map.w.outputs_of_tap(tap.w)};
    return std::vector<unsigned>(static_cast<std::size_t>(box.count()), (1u << here) - 1);
  }
  std::vector<unsigned> masks;
  for (int t = 0; t < live.count(); ++t) {
    unsigned mask = 0;
    for (int u = 0; u < here; ++u) {
      const int position = walk.position(unit0 + u);
      const int from = walk.adjoint ? walk.map.output_of(walk.map.input_place(position), live.at(t))
                                    : walk.map.input_of(walk.map.output_place(position), live.at(t));
      if (from >= 0) mask |= 1u << u;
    }
    if (mask != 0) masks.push_back(mask);
  }
  return masks;
}

template <class Tile>
constexpr int kCopiesOfW = Tile::kMajorW == Major::kK ? 1 : Tile::kBlocks;

// Where a part of the slices ends, as the kernel finds it (list_taps() and TensorSlices in tensor_slices.h).
template <class Tile>
int end_slice(const TensorWalk& walk, const std::vector<unsigned>& masks, int part, int parts) {
  const int chunks = ceil_div(walk.depth, Tile::kSteps);
  if (walk.pairs) return first_slice(static_cast<int>(masks.size()) * chunks, part, parts);
  int all = 0, before = 0;
  for (const unsigned mask : masks) all += slice_clocks<Tile>(mask) * chunks;
  const int end = end_of_part(all, part, parts);
  int entry = 0;
  for (const unsigned mask : masks) {
    const int clocks = slice_clocks<Tile>(mask);
    if (ends_in_entry(end, before, clocks, chunks)) return entry * chunks + chunks_until(end, before, clocks);
    before += clocks * chunks;
    ++entry;
  }
  return 0;
}

// The work of a block: its slices by (copies, products, steps).
template <class Tile>
Json work_of_block(const TensorWalk& walk, const std::vector<unsigned>& masks, int row0,
                   const TensorBlock& block) {
  const int chunks = ceil_div(walk.depth, Tile::kSteps);
  const int end = end_slice<Tile>(walk, masks, block.part + 1, block.parts);
  std::map<std::tuple<int, int, int>, int> work;
  for (int s = end_slice<Tile>(walk, masks, block.part, block.parts); s < end; ++s) {
    const unsigned mask = masks[static_cast<std::size_t>(s / chunks)];
    const int left = walk.depth - s % chunks * Tile::kSteps;
    int products = 0;
    for (int w = 0; w < kMultipliers; ++w) {
      if constexpr (Tile::kUnitsOnM)
        products += (mask >> (2 * w) & 3u) != 0 ? 1 : 0;
      else
        products += row0 + w * Tile::kBlockRows < walk.rows ? std::popcount(mask) : 0;
    }
    const int fetched =
        x_is_one_box<Tile>(walk) ? units_of_box<Tile>(walk) : std::popcount(units_needed<Tile>(mask));
    ++work[{kCopiesOfW<Tile> + fetched, products, ceil_div(std::min(left, Tile::kSteps), Tile::kOneSteps)}];
  }
  Json slices = Json::array();
  for (const auto& [kind, count] : work)
    slices.push_back({count, std::get<0>(kind), std::get<1>(kind), std::get<2>(kind)});
  return slices;
}

template <class Tile>
Json clusters_of(const TensorProduct& product, const TensorPlan& plan) {
  const TensorWalk& walk = product.walk;
  std::map<std::pair<int, int>, std::vector<unsigned>> masks;  // of (result, tile of units)
  Json clusters = Json::array();
  for (int column = 0; column < plan.columns(); ++column) {
    Json blocks = Json::array();
    for (int row = 0; row < plan.parts; ++row) {
      const TensorBlock block = plan.blocks.at(column, row, plan.parts);
      const TilePlace place = place_of_tile(block.tile, plan.row_tiles, plan.unit_tiles);
      std::vector<unsigned>& of_tile = masks[{place.result, place.unit}];
      if (of_tile.empty())
        of_tile = masks_of_tile(walk, place.unit * Tile::kUnits, Tile::kUnits, place.result);
      blocks.push_back(work_of_block<Tile>(walk, of_tile, place.row * Tile::kRows, block));
    }
    if (!clusters.empty() && clusters.back()[1] == blocks)
      clusters.back()[0] = clusters.back()[0].template get<int>() + 1;
    else
      clusters.push_back({1, blocks});
  }
  return clusters;
}

void add_pack(Json& packs, const OperandSource& source, Precision precision, bool transposed) {
  const PackedOperand packed = packed_operand(source, precision, transposed);
  if (packed.data != nullptr) return;
  const std::int64_t numbers = source.outer * source.rows * source.columns;
  packs.push_back({numbers * static_cast<std::int64_t>(size_of(source.dtype)),
                   packed.outer * packed.rows * packed.row_bytes()});
}

}  // namespace

Json tensor_work(const TensorProduct& product) {
  const TensorPlan plan = plan_tensor_product(product, TensorRung::kCluster);
  Json work = {{"cluster", plan.parts}, {"pairs", product.walk.pairs}, {"packs", Json::array()}};
  add_pack(work["packs"], product.w, product.precision, product.w_transposed);
  add_pack(work["packs"], product.x, product.precision, product.x_transposed);
  with_tensor_tile(product, plan.shape, [&](auto tag) {
    using Tile = typename decltype(tag)::Type;
    work["w"] = {kCopiesOfW<Tile>, Tile::kWBytes};
    work["x"] = {Tile::kUnits, Tile::kUnitBytes};
    work["clusters"] = clusters_of<Tile>(product, plan);
  });
  return work;
}

}  // namespace umbra::cuda_test
