// How a product on tensor cores is divided into tiles and blocks (tensor_product.h). Plans are compared by an
// estimate of their clocks.
#include <algorithm>
#include <array>
#include <optional>
#include <queue>
#include <vector>

#include "engine/cuda/tile/taps_of_positions.h"
#include "engine/cuda/tile/tensor_specialised.h"

namespace umbra {
namespace {

constexpr int kBlocksAtOnce = kPlannedMultiprocessors;  // without clusters
constexpr int kMostParts = 8;                           // and blocks in a cluster, on every Hopper card
constexpr int kFewestSlices = 2;                        // of a part, unless a cluster has blocks to spare
// Clocks, besides those of slices (tensor_tile.h): what each block needs to start and to store its sums, adding
// sums in a cluster, and a second kernel that adds parts; by a model. Other numbers choose other plans, with other bits.
constexpr double kStart = 2000, kClusterSum = 4000, kSecondKernel = 3000, kPartOfTile = 16;

// What the blocks of a tile have to do.
struct TileWork {
  int slices;
  double clocks;  // of all
};

// A product cut into tiles of a shape.
struct Cut {
  TensorPlan plan;                  // in one part
  std::vector<TileWork> of_column;  // of the tiles of [result][unit tile]
  TileWork longest{0, 0};
  double clocks = 0;  // of all tiles

  const TileWork& work(int tile) const {
    const TilePlace place = place_of_tile(tile, plan.row_tiles, plan.unit_tiles);
    return of_column[static_cast<std::size_t>(place.result * plan.unit_tiles + place.unit)];
  }
};

template <class Tile>
TileWork work_of_units(const TensorWalk& walk, const TapsOfPositions* known, int first) {
  const int chunks = ceil_div(walk.depth, Tile::kSteps), units = std::min(Tile::kUnits, walk.units() - first);
  const unsigned all = (1u << units) - 1;
  const int taps = walk.map.live().count();
  TileWork work{0, 0};
  for (int t = 0; t < taps; ++t) {
    unsigned mask = known == nullptr ? all : 0;
    for (int u = 0; known != nullptr && u < units; ++u)
      mask |= known->has(known->at(walk.position(first + u)), t) ? 1u << u : 0u;
    if (mask == 0) continue;
    work.slices += chunks;
    work.clocks += static_cast<double>(chunks) * slice_clocks<Tile>(mask);
  }
  return work;
}

template <class Tile>
TileWork work_of_pairs(const TensorWalk& walk, int result, int first) {
  const Place tap = walk.map.live().at(result);
  const Box box{walk.map.d.outputs_of_tap(tap.d), walk.map.h.outputs_of_tap(tap.h),
                walk.map.w.outputs_of_tap(tap.w)};
  const int units = std::min(Tile::kUnits, walk.units() - first);
  const int slices = box.count() * ceil_div(walk.depth, Tile::kSteps);
  return {slices, static_cast<double>(slices) * slice_clocks<Tile>((1u << units) - 1)};
}

Cut cut_into(const TensorProduct& product, const TapsOfPositions* known, TensorShape shape) {
  const TensorWalk& walk = product.walk;
  Cut cut{
      {shape, ceil_div(walk.rows, rows_of(shape)), ceil_div(walk.units(), units_of(shape)), walk.taps, 1, {}},
      {}};
  with_tensor_tile(product, shape, [&](auto tag) {
    using Tile = typename decltype(tag)::Type;
    for (int result = 0; result < walk.taps; ++result) {
      for (int u = 0; u < walk.units(); u += Tile::kUnits)
        cut.of_column.push_back(walk.pairs ? work_of_pairs<Tile>(walk, result, u)
                                           : work_of_units<Tile>(walk, known, u));
    }
  });
  for (const TileWork& work : cut.of_column) {
    cut.clocks += work.clocks * cut.plan.row_tiles;
    if (work.clocks > cut.longest.clocks) cut.longest = work;
  }
  return cut;
}

struct Candidate {
  TensorPlan plan;
  double clocks;
};
void keep_faster(std::optional<Candidate>& best, const std::optional<Candidate>& other) {
  if (other && (!best || other->clocks < best->clocks)) best = other;
}

// As if all slices took equally long; parts end by clocks (end_of_part()), and may take up to a slice more or less.
double longest_part(const TileWork& work, int parts) {
  return work.slices == 0 ? 0 : work.clocks * ceil_div(work.slices, parts) / work.slices;
}

// The fewest parts, at most `most`, none of which takes longer than these clocks; 0 if even the most take longer.
int parts_within(const TileWork& work, double clocks, int most) {
  most = std::clamp(work.slices / kFewestSlices, 1, most);
  for (int parts = 1; parts <= most; ++parts)
    if (longest_part(work, parts) <= clocks) return parts;
  return 0;
}

// ---- parts of a tile in clusters ----

// A cluster's tiles and their parts.
struct Cluster {
  int free;
  std::vector<std::pair<int, int>> tiles;  // (tile, parts)
};

// All tiles in parts that take these clocks at most, those with most parts first, each in the fullest cluster
// that has room. Nothing if a tile needs more parts than a cluster has blocks.
std::optional<std::vector<Cluster>> packed(const Cut& cut, int size, double clocks) {
  std::array<std::vector<int>, kMostParts + 1> with;  // tiles by parts
  for (int tile = 0; tile < cut.plan.tiles(); ++tile) {
    const int parts = parts_within(cut.work(tile), clocks, size);
    if (parts == 0) return {};
    with[static_cast<std::size_t>(parts)].push_back(tile);
  }
  std::vector<Cluster> clusters;
  std::array<std::vector<std::size_t>, kMostParts + 1> with_room;  // numbers of clusters by free blocks
  for (int parts = size; parts > 0; --parts) {
    for (const int tile : with[static_cast<std::size_t>(parts)]) {
      auto room = with_room.begin() + parts;
      while (room != with_room.end() && room->empty()) ++room;
      std::size_t chosen = clusters.size();
      if (room == with_room.end()) {
        clusters.push_back({size, {}});
      } else {
        chosen = room->back();
        room->pop_back();
      }
      clusters[chosen].free -= parts;
      clusters[chosen].tiles.emplace_back(tile, parts);
      with_room[static_cast<std::size_t>(clusters[chosen].free)].push_back(chosen);
    }
  }
  return clusters;
}

// At most `most` clusters with the shortest longest part; none if all tiles do not fit.
std::vector<Cluster> best_packed(const Cut& cut, int size, std::int64_t most) {
  const auto within = [&](double clocks) {
    std::optional<std::vector<Cluster>> clusters = packed(cut, size, clocks);
    if (clusters && static_cast<std::int64_t>(clusters->size()) > most) clusters.reset();
    return clusters;
  };
  double low = 0, high = cut.longest.clocks;
  std::optional<std::vector<Cluster>> best = within(high);
  if (!best) return {};
  constexpr int kHalvings = 10;
  for (int i = 0; i < kHalvings && size > 1; ++i) {
    const double middle = (low + high) / 2;
    if (std::optional<std::vector<Cluster>> clusters = within(middle)) {
      best = std::move(clusters);
      high = middle;
    } else {
      low = middle;
    }
  }
  return *best;
}

double longest_part(const Cut& cut, const Cluster& cluster) {
  double longest = 0;
  for (const auto& [tile, parts] : cluster.tiles)
    longest = std::max(longest, longest_part(cut.work(tile), parts));
  return longest;
}

// Gives a cluster's free blocks to its tiles with the longest parts.
void fill(const Cut& cut, Cluster& cluster) {
  for (; cluster.free > 0; --cluster.free) {
    ++std::max_element(cluster.tiles.begin(), cluster.tiles.end(), [&](const auto& a, const auto& b) {
        return longest_part(cut.work(a.first), a.second) < longest_part(cut.work(b.first), b.second);
      })->second;
  }
}

// When the last cluster ends if the next one starts whenever one of `at_once` has ended.
double last_end(const std::vector<double>& clocks, int at_once) {
  std::priority_queue<double, std::vector<double>, std::greater<>> ends;
  double last = 0;
  for (const double each : clocks) {
    double start = 0;
    if (static_cast<int>(ends.size()) == at_once) {
      start = ends.top();
      ends.pop();
    }
    ends.push(start + each);
    last = std::max(last, start + each);
  }
  return last;
}

TensorBlocks listed(const std::vector<Cluster>& clusters) {
  TensorBlocks blocks{};
  for (const Cluster& cluster : clusters)
    for (const auto& [tile, parts] : cluster.tiles)
      for (int part = 0; part < parts; ++part)
        blocks.listed[blocks.count++] = {static_cast<unsigned short>(tile), static_cast<unsigned char>(part),
                                         static_cast<unsigned char>(parts)};
  return blocks;
}

// The fastest division among clusters of `size` blocks in at most so many waves.
std::optional<Candidate> in_clusters(const Cut& cut, int size, int at_once, int waves) {
  const std::int64_t most =
      std::min<std::int64_t>(TensorBlocks::kMost / size, static_cast<std::int64_t>(waves) * at_once);
  if (cut.plan.tiles() > most * size) return {};
  std::vector<Cluster> clusters = best_packed(cut, size, most);
  if (clusters.empty()) return {};
  for (Cluster& cluster : clusters) fill(cut, cluster);
  std::stable_sort(clusters.begin(), clusters.end(), [&](const Cluster& a, const Cluster& b) {
    return longest_part(cut, a) > longest_part(cut, b);
  });
  std::vector<double> clocks;
  for (const Cluster& cluster : clusters)
    clocks.push_back(kStart + (size == 1 ? 0 : kClusterSum) + longest_part(cut, cluster));
  Candidate made{cut.plan, last_end(clocks, at_once)};
  made.plan.parts = size;
  made.plan.blocks = listed(clusters);
  return made;
}

// The least that any division among clusters of this size can take.
double least_clocks(const Cut& cut, int size, int at_once) {
  return kStart + (size == 1 ? 0 : kClusterSum) + std::max(cut.clocks / at_once, cut.longest.clocks) / size;
}

std::optional<Candidate> in_clusters(const Cut& cut, int size, int at_once) {
  constexpr int kMostWaves = 2;
  std::optional<Candidate> best;
  for (int waves = 1; waves <= kMostWaves; ++waves) keep_faster(best, in_clusters(cut, size, at_once, waves));
  return best;
}

// ---- the same number of parts of every tile ----

Candidate in_parts(const Cut& cut, int parts, int at_once) {
  const std::int64_t blocks = cut.plan.tiles() * parts;
  const auto waves = static_cast<double>((blocks + at_once - 1) / at_once);
  const double each =
      waves == 1 ? cut.longest.clocks : std::max(cut.longest.clocks, waves * cut.clocks / cut.plan.tiles());
  const double adding = parts == 1 ? 0 : kSecondKernel + kPartOfTile * static_cast<double>(blocks);
  Candidate made{cut.plan, waves * kStart + each / parts + adding};
  made.plan.parts = parts;
  return made;
}

}  // namespace

std::optional<TensorPlan> plan_clusters(const TensorProduct& product, TensorShape shape, int size,
                                        int at_once) {
  std::optional<TapsOfPositions> taps;
  if (listable(product.walk)) taps.emplace(product.walk);
  const std::optional<Candidate> made =
      in_clusters(cut_into(product, taps ? &*taps : nullptr, shape), size, at_once);
  if (!made) return {};
  return made->plan;
}

TensorPlan find_tensor_plan(const TensorProduct& product, TensorRung rung) {
  const bool first_rungs = rung == TensorRung::kWgmma || rung == TensorRung::kTma;
  std::vector<TensorShape> shapes{TensorShape::kRows128};
  if (!first_rungs)
    shapes = {TensorShape::kRows64, TensorShape::kRows128, TensorShape::kRows200, TensorShape::kRows256};
  if (!first_rungs && !product.walk.pairs)
    shapes.push_back(product.walk.units() == 1 ? TensorShape::kUnits1 : TensorShape::kUnits8);
  std::optional<TapsOfPositions> taps;
  if (listable(product.walk)) taps.emplace(product.walk);
  std::optional<Candidate> best;
  for (const TensorShape shape : shapes) {
    const Cut cut = cut_into(product, taps ? &*taps : nullptr, shape);
    if (rung != TensorRung::kCluster) {
      for (int parts = 1; parts <= kMostParts; ++parts) {
        if (parts > 1 &&
            (cut.longest.slices < parts * kFewestSlices || cut.plan.tiles() * parts > 2 * kBlocksAtOnce))
          break;
        keep_faster(best, in_parts(cut, parts, kBlocksAtOnce));
      }
      continue;
    }
    keep_faster(best, in_parts(cut, 1, kClustersAtOnce[1]));
    for (int size = 1; size <= kMostParts; ++size) {
      const int at_once = kClustersAtOnce[size];
      if (least_clocks(cut, size, at_once) < best->clocks && runs_clusters(product, shape, size))
        keep_faster(best, in_clusters(cut, size, at_once));
    }
  }
  return best->plan;
}

}  // namespace umbra
