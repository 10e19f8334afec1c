// Block-sparse product: every output block is a sum, over its list of segments, of products of a block of A
// with a block of B,
//
//   out[d][i][j] = sum over (a, b) in list d, over steps k, of  A[a][k][i] * B[b][k][j].
//
// All three passes of a convolution are such products over the live taps (blocks are taps or positions), and
// a matrix product is one with a single block. Operands are packed into the workspace, tiles are shared out
// to threads, and each sum is formed by one thread in list order: the bits do not depend on the number of
// threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/tile.h"

namespace umbra {

/// Element (step, block, lane) of an operand stands at data[step * step_stride + block + lane * lane_stride].
struct BlockOperand {
  const float* data = nullptr;
  std::int64_t lanes = 1;        // i for A, j for B
  std::int64_t blocks = 1;       // in memory
  std::int64_t live_blocks = 1;  // that some segment names, in the numbering of `slot`
  std::int64_t lane_stride = 1;
  std::int64_t step_stride = 1;
  const std::int32_t* slot = nullptr;  // [blocks] number of a live block, negative for the others
};

struct BlockProduct {
  BlockOperand a, b;
  std::int64_t steps = 1;
  // Element (d, i, j) of the output stands at out[d + i * row_stride + j * lane_stride].
  float* out = nullptr;
  std::int64_t out_blocks = 1;
  std::int64_t row_stride = 1;
  std::int64_t lane_stride = 1;
  const std::int32_t* begin = nullptr;  // [out_blocks + 1]
  const Segment* segments = nullptr;    // list d: [begin[d], begin[d + 1])
};

/// Bytes that block_product needs (data, slot, out and lists may still be null).
std::size_t block_product_bytes(const BlockProduct& p);

/// Runs it; `workspace` is aligned to 64 bytes.
void block_product(const BlockProduct& p, void* workspace);

}  // namespace umbra
