// How a matrix product is divided among the blocks of a grid. The division depends on the size alone, so
// results are bit-identical on every GPU. Plain arithmetic, tested on the host.
#pragma once

#include <cstddef>
#include <cstdint>

namespace umbra {

/// Multiprocessors of the GPU that plans are made for, an H100 or H200, whatever GPU runs them: the order of a sum may
/// follow from its plan, and is the same everywhere.
inline constexpr int kPlannedMultiprocessors = 132;

/// Steps along the sum that a block processes at a time, in fp32.
inline constexpr int kTileSteps = 16;

/// What a block computes: more rows and columns mean fewer loads per product, and fewer blocks.
enum class Tile { kSmall, kTall, kWide, kBig };
constexpr int rows_of(Tile tile) {
  return tile == Tile::kTall || tile == Tile::kBig ? 128 : 64;
}
constexpr int columns_of(Tile tile) {
  return tile == Tile::kWide || tile == Tile::kBig ? 128 : 64;
}

struct TilePlan {
  Tile tile;
  int row_tiles, column_tiles;
  int parts;  // of the sum; if there are several, a second kernel adds them
  constexpr std::int64_t tiles() const { return static_cast<std::int64_t>(row_tiles) * column_tiles; }
};

constexpr int ceil_div(std::int64_t a, std::int64_t b) {
  return static_cast<int>((a + b - 1) / b);
}

/// The number of parts, at most `most`, of a sum of `slices` that takes the least time if a GPU runs kAtOnce
/// blocks at a time and a second kernel adds the parts. Times are in slices of a block. Other
/// times choose other parts, and so other bits.
constexpr int parts_of_sums(std::int64_t tiles, std::int64_t slices, std::int64_t most) {
  constexpr std::int64_t kAtOnce = 2 * kPlannedMultiprocessors;
  constexpr double kLaunch = 2,
                   kPartOfTile = 1.0 / 100;  // times of the second kernel: its launch, and its reads
  int best = 1;
  double least = 0;
  for (int parts = 1; parts <= most && (parts == 1 || tiles * parts <= 2 * kAtOnce); ++parts) {
    const double waves = static_cast<double>((tiles * parts + kAtOnce - 1) / kAtOnce);
    const double adding = parts == 1 ? 0 : kLaunch + kPartOfTile * static_cast<double>(tiles * parts);
    const double time = waves * static_cast<double>(slices) / parts + adding;
    if (parts > 1 && time >= least) continue;
    best = parts;
    least = time;
  }
  return best;
}

/// The plan for rows x columns sums of `slices` slices each; `big`: whether big tiles may be used.
constexpr TilePlan plan_tiles(std::int64_t rows, std::int64_t columns, std::int64_t slices, bool big = true) {
  constexpr std::int64_t kFewest = 112;      // blocks; with fewer, a smaller tile is used
  constexpr std::int64_t kFewestBig = 48;    // big tiles; with fewer, parts of their sums would cost too much
  constexpr std::int64_t kSlicesOfPart = 4;  // a minimum
  const std::int64_t most_parts = slices < 2 * kSlicesOfPart ? 1 : slices / kSlicesOfPart;
  const auto cut = [&](Tile tile) {
    return TilePlan{tile, ceil_div(rows, rows_of(tile)), ceil_div(columns, columns_of(tile)), 1};
  };
  const auto enough = [&](const TilePlan& plan) { return plan.tiles() * most_parts >= kFewest; };
  const bool tall = rows > rows_of(Tile::kSmall), wide = columns > columns_of(Tile::kSmall);
  TilePlan plan = cut(Tile::kBig);
  if (!big || !tall || !wide || plan.tiles() < kFewestBig || !enough(plan)) {
    plan = cut(tall ? Tile::kTall : wide ? Tile::kWide : Tile::kSmall);
    if (!enough(plan)) plan = cut(Tile::kSmall);
  }
  plan.parts = parts_of_sums(plan.tiles(), slices, most_parts);
  return plan;
}

/// The first slice of a part; the slices of the last part end at first_slice(slices, parts, parts).
constexpr int first_slice(int slices, int part, int parts) {
  return static_cast<int>(static_cast<std::int64_t>(slices) * part / parts);
}

/// Bytes for the parts of `outputs` sums, if there is more than one part.
constexpr std::size_t bytes_of_parts(const TilePlan& plan, std::int64_t outputs) {
  return plan.parts == 1 ? 0 : static_cast<std::size_t>(plan.parts) * static_cast<std::size_t>(outputs) * 4;
}

}  // namespace umbra
