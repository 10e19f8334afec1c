// SumTile: a block of sums of products in registers. It reads its operands in place, without packing.
//
// A tile is `rows` x `lanes` sums. Every step adds an outer product: `rows` numbers of A, each broadcast,
// times `lanes` contiguous numbers of B. A list of segments says which block of A is multiplied by which
// block of B. With activations [position][channel][sample] and weights [tap][Cin][Cout] all three passes of a
// convolution are this loop, and so is a matrix product (one segment).
#pragma once

#include <cstdint>

namespace umbra {

/// The largest tile for this machine's registers. A tile's lanes are counted in units, the last of which may
/// be partly used.
struct SumTileShape {
  std::int64_t rows;   // at most
  std::int64_t units;  // at most
  std::int64_t unit;   // floats in a unit: a vector, or half of one where that saves time
};

SumTileShape sum_tile_shape();

/// Block `a` of operand A is multiplied by block `b` of operand B.
struct TileSegment {
  std::int32_t a;
  std::int32_t b;
};

/// One tile: c[r * c_row + l] (+)= sum over segments s and steps j, in this order, of
///   a[s.a * a_block + r * a_row + j * a_step] * b[s.b * b_block + j * b_step + l].
/// Either a_row or a_step is 1. Exactly these elements are accessed (but see b_padded), with any alignment.
struct SumTile {
  std::int64_t rows, lanes, steps;
  const float* a;
  std::int64_t a_block, a_row, a_step;
  const float* b;
  std::int64_t b_block, b_step;
  float* c;
  std::int64_t c_row;
  bool add;       // to the contents of c instead of to zero
  bool b_padded;  // B may be read to the end of its last unit
  bool prefetch;  // worthwhile if A, B or C are not in the second-level cache
};

void sum_tile(const SumTile& tile, const TileSegment* segments, std::int64_t count);

}  // namespace umbra
