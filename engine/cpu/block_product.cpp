// How a block product is cut into tiles, slices and tasks. Nothing here changes a sum: which task forms an
// element may depend on the number of threads, the order in which it is formed may not.
#include "engine/cpu/block_product.h"

#include <algorithm>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::int64_t kMaxOutBlocks = 64;  // output blocks a task finishes before it writes them out
constexpr std::int64_t kDoneElements = kMaxOutBlocks * kMaxTileRows * kMaxTileWidth;  // 96 KiB on the stack
constexpr std::int64_t kTasks = 64;              // tasks worth having, if the problem allows
constexpr std::int64_t kPackElements = 1 << 14;  // elements packed by a task
constexpr std::int64_t kSliceElements = 1
                                        << 14;  // of a tile of A: 64 KiB, half of a small second-level cache
constexpr std::int64_t kLeastSlice = 8;         // steps
constexpr std::int64_t kLargeA = 1 << 18;       // elements of A that no second-level cache holds

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// How both operands are cut into tiles.
struct Tiling {
  std::int64_t rows, a_tiles;                  // A: tiles of `rows` lanes, zero-padded
  std::int64_t lanes;                          // floats in a vector
  std::int64_t slice;                          // steps of A that are packed, and multiplied, at a time
  std::int64_t vectors, all_vectors, b_tiles;  // B: tiles of `vectors` vectors, the last one may have fewer
};

Tiling tiling_of(const BlockProduct& p) {
  const TileShape shape = tile_shape();
  Tiling t{};
  // The number of rows with the least work: padding counts as work, and so does the load of B in each tile.
  std::int64_t least = 0;
  for (std::int64_t rows = 1; rows <= shape.max_rows; ++rows) {
    const std::int64_t tiles = divide_up(p.a.lanes, rows), work = tiles * (rows + 1);
    if (rows == 1 || work <= least) {
      least = work;
      t.rows = rows;
      t.a_tiles = tiles;
    }
  }
  // Slices of equal length that fit the cache; with too many blocks for that, all steps at once.
  const std::int64_t per_step = std::max<std::int64_t>(1, t.rows * p.a.live_blocks);
  const std::int64_t fit = kSliceElements / per_step;
  t.slice = fit < kLeastSlice ? p.steps : divide_up(p.steps, divide_up(p.steps, fit));
  t.lanes = shape.lanes;
  t.vectors = shape.vectors;
  t.all_vectors = divide_up(p.b.lanes, shape.lanes);
  t.b_tiles = divide_up(t.all_vectors, t.vectors);
  return t;
}

std::int64_t a_elements(const BlockProduct& p, const Tiling& t) {  // rounded up to 64 bytes
  return divide_up(t.a_tiles * t.rows * p.a.live_blocks * p.steps, 16) * 16;
}

// Lanes from `first` on and steps from `step` on of an operand, as a tile to pack.
TileSource tile_source(const BlockOperand& operand, std::int64_t first, std::int64_t lanes,
                       std::int64_t width, std::int64_t step, std::int64_t steps) {
  return {operand.data + first * operand.lane_stride + step * operand.step_stride,
          operand.lane_stride,
          operand.step_stride,
          lanes,
          width,
          operand.blocks,
          operand.slot,
          steps};
}

// Packs an operand as [tile][slice][block][step][width]; the last tile's width is a multiple of `granule`
// only.
void pack_operand(const BlockOperand& operand, std::int64_t steps, std::int64_t slice,
                  std::int64_t tile_width, std::int64_t granule, float* packed) {
  const std::int64_t tiles = divide_up(operand.lanes, tile_width), slices = divide_up(steps, slice);
  const std::int64_t per_step = std::max<std::int64_t>(1, tile_width * operand.live_blocks);
  const std::int64_t grain = std::clamp<std::int64_t>(kPackElements / per_step, 1, slice);
  const std::int64_t chunks = divide_up(slice, grain);
  parallel_for(tiles * slices * chunks, [&](std::int64_t task) {
    const std::int64_t first = task / chunks / slices * tile_width, step = task / chunks % slices * slice;
    const std::int64_t lanes = std::min(tile_width, operand.lanes - first);
    const std::int64_t width = divide_up(lanes, granule) * granule, length = std::min(slice, steps - step);
    const std::int64_t begin = std::min(length, task % chunks * grain), end = std::min(length, begin + grain);
    tile_pack(tile_source(operand, first, lanes, width, step, length), begin, end,
              packed + (first * steps + width * step) * operand.live_blocks);
  });
}

// A task: output blocks [begin, end) of tile ta of A and tiles [first_tb, last_tb) of B.
struct Task {
  std::int64_t ta, first_tb, last_tb, begin, end;
};

// Without a packed A the task packs its own, slice by slice.
void finish(const BlockProduct& p, const Tiling& t, const Task& task, const float* packed_a,
            const float* packed_b) {
  alignas(64) float done[kDoneElements];    // [tile of B][block][rows][width]
  alignas(64) float own_a[kSliceElements];  // [block][step][rows]
  const std::int64_t first_row = task.ta * t.rows, rows = std::min(t.rows, p.a.lanes - first_row);
  const std::int64_t tile_lanes = t.vectors * t.lanes, block = t.rows * tile_lanes;
  const auto vectors = [&](std::int64_t tb) { return std::min(t.vectors, t.all_vectors - tb * t.vectors); };
  const auto done_of = [&](std::int64_t tb) {
    return done + (tb - task.first_tb) * (task.end - task.begin) * block;
  };

  for (std::int64_t step = 0; step < p.steps; step += t.slice) {
    const std::int64_t length = std::min(t.slice, p.steps - step);
    const float* a = own_a;
    if (packed_a) {
      a = packed_a + (first_row * p.steps + t.rows * step) * p.a.live_blocks;
    } else {
      tile_pack(tile_source(p.a, first_row, rows, t.rows, step, length), 0, length, own_a);
    }
    for (std::int64_t tb = task.first_tb; tb < task.last_tb; ++tb) {
      const std::int64_t width = vectors(tb) * t.lanes;
      const float* b = packed_b + tb * tile_lanes * p.b.live_blocks * p.steps + step * width;
      for (std::int64_t d = task.begin; d < task.end; ++d) {
        float* c = done_of(tb) + (d - task.begin) * t.rows * width;
        tile_product({t.rows, vectors(tb), length, a, b, p.steps * width, c, step > 0},
                     p.segments + p.begin[d], p.begin[d + 1] - p.begin[d]);
      }
    }
  }
  for (std::int64_t tb = task.first_tb; tb < task.last_tb; ++tb) {
    const std::int64_t first_lane = tb * tile_lanes, width = vectors(tb) * t.lanes;
    tile_unpack(done_of(tb), task.end - task.begin, t.rows, width, rows,
                std::min(width, p.b.lanes - first_lane),
                p.out + task.begin + first_row * p.row_stride + first_lane * p.lane_stride, p.row_stride,
                p.lane_stride);
  }
}

// Whether each task takes a whole tile of A, packed by itself into a buffer that stays in its cache. That
// saves writing A to memory and reading it back, a third of the time on layers with many weights and few
// positions, but leaves no more tasks than tiles. The slices, and so the bits, are the same either way.
bool tasks_pack_a(const BlockProduct& p, const Tiling& t) {
  return t.a_tiles >= 4 * omp_get_max_threads() && a_elements(p, t) >= kLargeA &&
         p.out_blocks * t.b_tiles * t.rows * t.vectors * t.lanes <= kDoneElements &&
         t.slice * t.rows * p.a.live_blocks <= kSliceElements;
}

}  // namespace

std::size_t block_product_bytes(const BlockProduct& p) {
  const Tiling t = tiling_of(p);
  const std::int64_t b_elements = t.all_vectors * t.lanes * p.b.live_blocks * p.steps;
  return static_cast<std::size_t>(a_elements(p, t) + b_elements) * sizeof(float);
}

void block_product(const BlockProduct& p, void* workspace) {
  const Tiling t = tiling_of(p);
  float* a = static_cast<float*>(workspace);
  float* b = a + a_elements(p, t);
  pack_operand(p.b, p.steps, p.steps, t.vectors * t.lanes, t.lanes, b);
  if (tasks_pack_a(p, t)) {
    parallel_for(t.a_tiles, [&](std::int64_t ta) {
      finish(p, t, {ta, 0, t.b_tiles, 0, p.out_blocks}, nullptr, b);
    });
    return;
  }
  pack_operand(p.a, p.steps, t.slice, t.rows, t.rows, a);
  const std::int64_t tiles = t.a_tiles * t.b_tiles;
  const std::int64_t wanted = divide_up(divide_up(p.out_blocks * tiles, kTasks), 4) * 4;
  const std::int64_t grain = std::clamp<std::int64_t>(wanted, 4, kMaxOutBlocks);
  const std::int64_t chunks = divide_up(p.out_blocks, grain);
  parallel_for(tiles * chunks, [&](std::int64_t task) {
    const std::int64_t ta = task / chunks % t.a_tiles, tb = task / chunks / t.a_tiles,
                       begin = task % chunks * grain;
    finish(p, t, {ta, tb, tb + 1, begin, std::min(p.out_blocks, begin + grain)}, a, b);
  });
}

}  // namespace umbra
