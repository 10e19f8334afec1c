// Runs the register tile of engine/cpu/sum_tile.h over packed panels, and divides the product into cache
// blocks and tasks.
#include "engine/cpu/gemm.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>

#include "engine/cpu/parallel.h"
#include "engine/cpu/sum_tile.h"
#include "engine/cpu/transpose.h"

namespace umbra {
namespace {

constexpr std::int64_t kMaxTile = 384;      // sums: an upper bound for every tile shape (12 x 32)
constexpr std::int64_t kMaxTileLanes = 32;  // an upper bound for every tile shape
constexpr std::int64_t kSteps = 256;        // of k at a time: a tile of A is then 12 KB, of B 32 KB
constexpr std::int64_t kBlockRows = 288;    // of a task, at most: with 256 steps 295 KB of A
constexpr std::int64_t kBlockLanes = 256;   // of a task, at most: with 288 rows 295 KB of C
constexpr double kMostTasks = 24;           // the aim if the problem is large enough
constexpr double kFlopsPerTask = 250e3;     // 2 us, the time to wake another thread
constexpr std::int64_t kLine = 16;          // floats
constexpr std::int64_t kAhead = 8;          // steps of B that packing prefetches
constexpr std::int64_t kTilesToPack = 8;    // per chunk, one after the other
constexpr std::int64_t kFewRows = 48;       // up to this many, B is used in place if its lanes are contiguous
constexpr std::int64_t kFewTiles = 2;       // up to this many tiles of lanes, A is used in place

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// Where tiles take B from.
enum class PanelsOfB {
  kInPlace,
  kShared,  // packed once, for several blocks of rows
  kByTask,  // used by a single block: each task packs them when it needs them, so they stay in its cache
};

// How the work is divided. Depends on the problem and the instruction set alone.
struct Plan {
  SumTileShape shape = sum_tile_shape();
  std::int64_t tile_lanes = shape.units * shape.unit;
  std::int64_t row_tiles, lane_tiles;
  std::int64_t block_rows, block_lanes;  // of a task, in tiles
  std::int64_t steps;                    // of k in a slice; the last may have fewer
  bool pack_a;
  PanelsOfB panels;

  explicit Plan(const Gemm& g)
      : row_tiles(divide_up(g.m, shape.rows)),
        lane_tiles(divide_up(g.n, tile_lanes)),
        block_rows(std::min(row_tiles, kBlockRows / shape.rows)),
        block_lanes(std::min(lane_tiles, kBlockLanes / tile_lanes)),
        steps(divide_up(g.k, divide_up(g.k, kSteps))),
        pack_a((g.a_row != 1 && g.a_step != 1) ||
               (lane_tiles > kFewTiles && !(g.a_row == 1 && g.k <= kSteps))) {
    const double flops = 2.0 * static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
    const auto wanted = static_cast<std::int64_t>(std::clamp(flops / kFlopsPerTask, 1.0, kMostTasks));
    while (tasks() < wanted && block_lanes > 1) block_lanes = divide_up(block_lanes, 2);
    while (tasks() < wanted && block_rows > 4) block_rows = divide_up(block_rows, 2);
    panels = g.b_lane == 1 && g.m <= kFewRows ? PanelsOfB::kInPlace
             : block_rows < row_tiles         ? PanelsOfB::kShared
                                              : PanelsOfB::kByTask;
  }
  std::int64_t across() const { return divide_up(lane_tiles, block_lanes); }
  std::int64_t tasks() const { return divide_up(row_tiles, block_rows) * across(); }
  std::int64_t first_row(const Gemm& g, std::int64_t tile) const { return tile * g.m / row_tiles; }
  std::int64_t lanes(const Gemm& g, std::int64_t tile) const {
    return std::min(tile_lanes, g.n - tile * tile_lanes);
  }
  // Floats of a step in a packed tile of B: whole units.
  std::int64_t width(const Gemm& g, std::int64_t tile) const {
    return divide_up(lanes(g, tile), shape.unit) * shape.unit;
  }
  std::int64_t a_elements(const Gemm& g) const { return pack_a ? divide_up(g.m * g.k, 16) * 16 : 0; }
  std::int64_t b_elements(const Gemm& g) const {
    return panels == PanelsOfB::kShared ? divide_up(g.n, shape.unit) * shape.unit * g.k : 0;
  }
};

// Packs steps [k0, k0 + steps) of tiles [first, last) of A as [tile][step][row].
void pack_rows(const Gemm& g, const Plan& p, std::int64_t first, std::int64_t last, std::int64_t k0,
               std::int64_t steps, float* to) {
  const std::int64_t begin = p.first_row(g, first);
  for (std::int64_t tile = first; g.a_step == 1 && tile < last; ++tile) {
    const std::int64_t row = p.first_row(g, tile), rows = p.first_row(g, tile + 1) - row;
    transpose(g.a + row * g.a_row + k0, g.a_row, rows, steps, to + (row - begin) * steps, rows, rows);
  }
  // All tiles of a step in one go: neighbouring tiles share cache lines, which would be evicted by the next
  // tile.
  for (std::int64_t k = 0; g.a_step != 1 && k < steps; ++k) {
    const float* from = g.a + (k0 + k) * g.a_step;
    hwy::Prefetch(from + kAhead * g.a_step + begin * g.a_row);
    for (std::int64_t tile = first; tile < last; ++tile) {
      const std::int64_t row = p.first_row(g, tile), rows = p.first_row(g, tile + 1) - row;
      float* out = to + (row - begin) * steps + k * rows;
      for (std::int64_t r = 0; r < rows; ++r) out[r] = from[(row + r) * g.a_row];
    }
  }
}

// Packs steps [k0, k0 + steps) of a tile of B as [step][width], with zeros after the last lane.
void pack_lanes(const Gemm& g, const Plan& p, std::int64_t tile, std::int64_t k0, std::int64_t steps,
                float* to) {
  const std::int64_t lanes = p.lanes(g, tile), width = p.width(g, tile);
  const float* from = g.b + tile * p.tile_lanes * g.b_lane + k0 * g.b_step;
  if (g.b_step == 1) return transpose(from, g.b_lane, lanes, steps, to, width, width);
  for (std::int64_t k = 0; k < steps; ++k, from += g.b_step, to += width) {
    if (g.b_lane == 1) {
      for (std::int64_t l = 0; l < lanes; l += kLine) hwy::Prefetch(from + kAhead * g.b_step + l);
      std::memcpy(to, from, static_cast<std::size_t>(lanes) * sizeof(float));
    } else {
      for (std::int64_t l = 0; l < lanes; ++l) to[l] = from[l * g.b_lane];
    }
    std::fill(to + lanes, to + width, 0.0f);
  }
}

// A tile whose lanes are not contiguous in C goes through a buffer.
void run_tile(const Gemm& g, SumTile t, std::int64_t row, std::int64_t lane) {
  static constexpr TileSegment kOnly{0, 0};
  float* c = g.c + row * g.c_row + lane * g.c_lane;
  if (g.c_lane == 1) {
    t.c = c;
    t.c_row = g.c_row;
    return sum_tile(t, &kOnly, 1);
  }
  alignas(64) float buffer[kMaxTile];  // [row][lane]
  t.c = buffer;
  t.c_row = t.lanes;
  for (std::int64_t r = 0; t.add && r < t.rows; ++r) {
    for (std::int64_t l = 0; l < t.lanes; ++l) buffer[r * t.lanes + l] = c[r * g.c_row + l * g.c_lane];
  }
  sum_tile(t, &kOnly, 1);
  for (std::int64_t r = 0; r < t.rows; ++r) {
    for (std::int64_t l = 0; l < t.lanes; ++l) c[r * g.c_row + l * g.c_lane] = buffer[r * t.lanes + l];
  }
}

// One block of C: all slices of k, one after the other.
void run_block(const Gemm& g, const Plan& p, std::int64_t down, std::int64_t along, const float* packed_a,
               const float* packed_b) {
  alignas(64) float panel[kMaxTileLanes * kSteps];  // [step][lane]
  const std::int64_t last_row = std::min(p.row_tiles, (down + 1) * p.block_rows);
  const std::int64_t last_lane = std::min(p.lane_tiles, (along + 1) * p.block_lanes);
  SumTile t{};
  t.b_padded = p.panels != PanelsOfB::kInPlace;
  t.prefetch = true;
  for (std::int64_t k0 = 0; k0 < g.k; k0 += p.steps) {
    t.steps = std::min(p.steps, g.k - k0);
    t.add = k0 > 0;
    for (std::int64_t tile = along * p.block_lanes; tile < last_lane; ++tile) {
      const std::int64_t lane = tile * p.tile_lanes, width = p.width(g, tile);
      t.lanes = p.lanes(g, tile);
      t.b = p.panels == PanelsOfB::kInPlace  ? g.b + lane + k0 * g.b_step
            : p.panels == PanelsOfB::kShared ? packed_b + lane * g.k + k0 * width
                                             : panel;
      t.b_step = p.panels == PanelsOfB::kInPlace ? g.b_step : width;
      if (p.panels == PanelsOfB::kByTask) pack_lanes(g, p, tile, k0, t.steps, panel);
      for (std::int64_t r = down * p.block_rows; r < last_row; ++r) {
        const std::int64_t row = p.first_row(g, r);
        t.rows = p.first_row(g, r + 1) - row;
        t.a = p.pack_a ? packed_a + k0 * g.m + row * t.steps : g.a + row * g.a_row + k0 * g.a_step;
        t.a_row = p.pack_a ? 1 : g.a_row;
        t.a_step = p.pack_a ? t.rows : g.a_step;
        run_tile(g, t, row, lane);
      }
    }
  }
}

}  // namespace

std::size_t gemm_bytes(const Gemm& g) {
  const Plan p(g);
  return static_cast<std::size_t>(p.a_elements(g) + p.b_elements(g)) * sizeof(float);
}

void gemm(const Gemm& g, void* workspace) {
  const Plan p(g);
  float* a = static_cast<float*>(workspace);  // [slice][tile of rows][step][row]
  float* b = a + p.a_elements(g);             // [tile of lanes][step][lane]
  const std::int64_t of_b = p.panels == PanelsOfB::kShared ? p.lane_tiles : 0;
  const std::int64_t tiles = (p.pack_a ? p.row_tiles : 0) + of_b, slices = divide_up(g.k, p.steps);
  parallel_chunks(tiles * slices, kTilesToPack, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end;) {
      const std::int64_t k0 = i / tiles * p.steps, steps = std::min(p.steps, g.k - k0), tile = i % tiles;
      if (tile < of_b) {
        pack_lanes(g, p, tile, k0, steps, b + tile * p.tile_lanes * g.k + k0 * p.width(g, tile));
        ++i;
      } else {
        const std::int64_t first = tile - of_b, count = std::min(end - i, tiles - tile);
        pack_rows(g, p, first, first + count, k0, steps, a + k0 * g.m + p.first_row(g, first) * steps);
        i += count;
      }
    }
  });
  parallel_for(p.tasks(), [&](std::int64_t i) { run_block(g, p, i / p.across(), i % p.across(), a, b); });
}

}  // namespace umbra
