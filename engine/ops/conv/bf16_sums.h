// The two ways in which engine/ops/conv/bf16_tiles.cpp sums products of bfloat16: the type of a word in
// memory, the number of summed channels it holds, how words are packed and how a tile of sums is computed
// from them.
#pragma once

#include "engine/cpu/bf16_tile.h"
#include "engine/cpu/bf16_wide.h"

namespace umbra {

/// Pairs of bfloat16, for the CPU's dot product.
struct Bf16Dots {
  using Word = std::uint32_t;
  using Tile = Bf16Tile;
  static constexpr std::int64_t kChannels = 2;
  static SumTileShape shape() { return bf16_tile_shape(); }
  template <class T>
  static void pack_rows(const T* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                        Word* to, std::int64_t to_row, std::int64_t width) {
    bf16_pair_rows(from, from_row, rows, columns, to, to_row, width);
  }
  static void run(const Tile& tile, const TileSegment* segments, std::int64_t count) {
    bf16_tile(tile, segments, count);
  }
};

/// Floats that a bfloat16 can hold, for fp32 tiles on any CPU.
struct Bf16Wide {
  using Word = float;
  struct Tile {  // as Bf16Tile, with one channel per step; nothing is prefetched
    std::int64_t rows, lanes, steps;
    const float* a;
    std::int64_t a_first, a_block, a_row, a_step;
    const float* b;
    std::int64_t b_block, b_step;
    float* c;
    std::int64_t c_row;
    bool add;
    SoonWanted soon;
  };
  static constexpr std::int64_t kChannels = 1;
  static SumTileShape shape() { return sum_tile_shape(); }
  template <class T>
  static void pack_rows(const T* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                        Word* to, std::int64_t to_row, std::int64_t width) {
    bf16_round_rows(from, from_row, rows, columns, to, to_row, width);
  }
  static void run(const Tile& t, const TileSegment* segments, std::int64_t count) {
    // Blocks of A are numbered from a_first on.
    sum_tile({t.rows, t.lanes, t.steps, t.a - t.a_first * t.a_block, t.a_block, t.a_row, t.a_step, t.b,
              t.b_block, t.b_step, t.c, t.c_row, t.add, /*b_padded=*/true, /*prefetch=*/false},
             segments, count);
  }
};

}  // namespace umbra
