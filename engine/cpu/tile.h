// Tile: the one inner loop behind umbra's convolutions and matrix products on the CPU, and the packing it
// needs.
//
// A tile is a block of `rows` x `vectors` SIMD vectors of sums that live in registers. Every step adds an
// outer product: `rows` numbers of operand A, each broadcast, times `vectors` vectors of operand B. Both
// operands are packed so that the loop reads them in order: A as [block][step][rows], B as
// [block][step][width], where width = vectors * lanes. A list of segments says which block of A meets which
// block of B: one segment makes a matrix product, the live taps of an output position make a convolution.
#pragma once

#include <cstdint>

namespace umbra {

/// What suits this machine's registers.
struct TileShape {
  std::int64_t max_rows;  // rows of A in one tile, at most
  std::int64_t vectors;   // vectors of B in one tile, at most
  std::int64_t lanes;     // floats in a vector
};

/// The largest tile, whatever the machine: for buffers on the stack.
inline constexpr std::int64_t kMaxTileRows = 12;
inline constexpr std::int64_t kMaxTileWidth = 32;

TileShape tile_shape();

/// Block `a` of operand A meets block `b` of operand B.
struct Segment {
  std::int32_t a;
  std::int32_t b;
};

/// One tile: c[r][w] = sum over segments and steps of a[segment.a][step][r] * b[segment.b][step][w], in that
/// order.
struct TileProduct {
  std::int64_t rows;
  std::int64_t vectors;
  std::int64_t steps;
  const float* a;         // [block][steps][rows]
  const float* b;         // [block][…][vectors * lanes], aligned to a vector
  std::int64_t b_stride;  // elements from one block of b to the next
  float* c;               // [rows][vectors * lanes]
  bool add;               // to what c holds; otherwise c is overwritten
};
void tile_product(const TileProduct& tile, const Segment* segments, std::int64_t count);

/// One tile of an operand, before packing: element (step, block, lane) stands at
/// source[step * step_stride + block + lane * lane_stride].
struct TileSource {
  const float* source;
  std::int64_t lane_stride;
  std::int64_t step_stride;
  std::int64_t lanes;        // that exist
  std::int64_t width;        // lanes after packing; those beyond `lanes` become zero
  std::int64_t blocks;       // in the source
  const std::int32_t* slot;  // [blocks], index of the block after packing, negative: left out
  std::int64_t steps;        // of a packed block
};

/// Packs steps [begin, end) of every block with a slot into packed[slot][step][width].
void tile_pack(const TileSource& tile, std::int64_t begin, std::int64_t end, float* packed);

/// Writes finished tiles [blocks][rows][width] to out[block + row * row_stride + lane * lane_stride], lanes <
/// `lanes`.
void tile_unpack(const float* tiles, std::int64_t blocks, std::int64_t rows, std::int64_t width,
                 std::int64_t rows_kept, std::int64_t lanes, float* out, std::int64_t row_stride,
                 std::int64_t lane_stride);

}  // namespace umbra
