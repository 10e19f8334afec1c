// Bf16Tile: a block of sums of products of bfloat16 in registers, the counterpart of SumTile
// (engine/cpu/sum_tile.h). Two neighbours of the summed dimension share a 32-bit word (the first in the lower
// half), so a step adds two products to every sum. The functions below make the words from floats; a missing
// half of a pair is zero.
//
// Call these functions only if bf16_tile_supported() is true.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/precision.h"
#include "engine/cpu/sum_tile.h"

namespace umbra {

/// Whether this CPU has the instruction: AVX-512 BF16 or Arm's BF16 extension.
bool bf16_tile_supported();

/// Largest tile: rows, vectors of B and lanes of a vector.
SumTileShape bf16_tile_shape();

/// Memory to prefetch while a tile is computed, one or two cache lines per step. With part = first + s <
/// parts, step j of segment s prefetches the lines at this address and `width` bytes after it:
///   p + part / per * outer + part % per * inner + j * step.
struct SoonWanted {
  const std::byte* p = nullptr;  // null: prefetch nothing
  std::int64_t first = 0, parts = 0, per = 1, outer = 0, inner = 0, step = 0, width = 0;
};

/// One tile: c[r * c_row + l] (+)= sum over segments s and steps j, in this order, of the products of both
/// halves of
///   a[(s.a - a_first) * a_block + r * a_row + j * a_step]  and  b[s.b * b_block + j * b_step + l].
/// Either a_row or a_step is 1. Exactly these elements of c are accessed; b is read in whole vectors.
struct Bf16Tile {
  std::int64_t rows, lanes, steps;
  const std::uint32_t* a;
  std::int64_t a_first, a_block, a_row, a_step;
  const std::uint32_t* b;
  std::int64_t b_block, b_step;
  float* c;
  std::int64_t c_row;
  bool add;  // to the contents of c instead of to zero
  SoonWanted soon;
};

void bf16_tile(const Bf16Tile& tile, const TileSegment* segments, std::int64_t count);

/// Pairs of rows: to[j * to_row + l] = (from[2j * from_row + l], from[(2j + 1) * from_row + l]) for
/// 2j < rows and l < columns; zero for l in [columns, width).
void bf16_pair_rows(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                    std::uint32_t* to, std::int64_t to_row, std::int64_t width);

/// The same from numbers that are already rounded.
void bf16_pair_rows(const Bf16* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                    std::uint32_t* to, std::int64_t to_row, std::int64_t width);

/// Pairs of neighbours: to[r * to_row + j] = (from[r * from_row + 2j], from[r * from_row + 2j + 1]) for
/// 2j < columns.
void bf16_pair_columns(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                       std::uint32_t* to, std::int64_t to_row);

}  // namespace umbra
