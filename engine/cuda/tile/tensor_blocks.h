// Which part of which tile each block of a launch computes, and where the parts of a tile's slices begin
// (tensor_product.h). Plain arithmetic for kernels, launches and tests.
#pragma once

#include "engine/cuda/tile/tile_plan.h"

namespace umbra {

/// A block computes the part with that number, of so many parts, of a tile.
struct TensorBlock {
  int tile, part, parts;
};

/// The blocks of a grid (columns, height). If some are listed, a column is a cluster, and the blocks of a tile
/// follow one another in one; otherwise each column is a tile in `height` parts.
struct TensorBlocks {
  static constexpr int kMost = 2 * kPlannedMultiprocessors;
  struct Listed {
    unsigned short tile;
    unsigned char part, parts;
  };
  int count;  // listed: 0, or all blocks of the grid
  Listed listed[kMost];

  constexpr TensorBlock at(int column, int row, int height) const {
    if (count == 0) return {column, row, height};
    const Listed& block = listed[column * height + row];
    return {block.tile, block.part, block.parts};
  }
};

/// The place of a tile among those of a result: its numbers along rows and units, and the number of the
/// result. Eight tiles of rows follow each other before the next units, so that blocks that run at the same
/// time share operands in the L2 cache.
struct TilePlace {
  int row, unit, result;
};
constexpr TilePlace place_of_tile(int tile, int row_tiles, int unit_tiles) {
  constexpr int kSideBySide = 8;
  const int tiles = row_tiles * unit_tiles, result = tile / tiles, at = tile - result * tiles;
  const int group = at / (kSideBySide * unit_tiles), first = group * kSideBySide;
  const int wide = row_tiles - first < kSideBySide ? row_tiles - first : kSideBySide;
  const int within = at - first * unit_tiles;
  return {first + within % wide, within / wide, result};
}

/// Where a part ends: as far along a tile's slices as these clocks, of the clocks of all. They fit into 32 bits
/// (kMostTensorTerms), in which a GPU divides much faster, but their product with `part` may not.
constexpr int end_of_part(int clocks, int part, int parts) {
  return clocks / parts * part + (clocks % parts * part + parts - 1) / parts;
}

/// Of an entry of a tile's list, `chunks` slices of so many clocks each, the first of which begins after
/// `before` clocks: whether a part that ends at `end` clocks, more than 0, ends in it …
constexpr bool ends_in_entry(int end, int before, int clocks, int chunks) {
  return before < end && end <= before + clocks * chunks;
}
/// … and if so, how many of its slices that part and those before it have.
constexpr int chunks_until(int end, int before, int clocks) {
  return (end - before - 1) / clocks + 1;
}

}  // namespace umbra
