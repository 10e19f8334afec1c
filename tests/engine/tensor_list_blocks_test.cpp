// Launches over many tensors: every element belongs to exactly one block.
#include "engine/cuda/tile/tensor_list_blocks.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/base/philox.h"

namespace umbra {
namespace {

constexpr TensorListBlocks blocks_of_three() {
  TensorListBlocks blocks;
  blocks.chunk = 8;
  for (const int count : {8, 0, 17}) blocks.add(count);
  return blocks;
}
static_assert(blocks_of_three().blocks() == 4 && blocks_of_three().tensor_of(0) == 0 &&
              blocks_of_three().tensor_of(1) == 2 && blocks_of_three().piece(3, 2, 17).begin == 16);

void expect_each_element_once(std::int64_t chunk, const std::vector<std::int64_t>& counts) {
  TensorListBlocks blocks;
  blocks.chunk = chunk;
  for (const std::int64_t count : counts) blocks.add(count);
  std::vector<std::int64_t> next(counts.size());  // pieces come in order
  for (int b = 0; b < blocks.blocks(); ++b) {
    const int k = blocks.tensor_of(b);
    ASSERT_TRUE(k >= 0 && k < blocks.tensors);
    const auto tensor = static_cast<std::size_t>(k);
    const TensorPiece piece = blocks.piece(b, k, counts[tensor]);
    ASSERT_EQ(piece.tensor, k);
    ASSERT_EQ(piece.begin, next[tensor]) << "block " << b;
    ASSERT_TRUE(piece.end > piece.begin && piece.end - piece.begin <= chunk) << "a block without work";
    next[tensor] = piece.end;
  }
  EXPECT_EQ(next, counts);
}

TEST(TensorListBlocks, EveryElementBelongsToOneBlock) {
  const Rng rng(2018, Purpose::kTest);
  std::uint64_t draw = 0;
  for (int tensors = 0; tensors <= kMostTensors; ++tensors) {
    for (const std::int64_t chunk : {1, 4, 2048}) {
      std::vector<std::int64_t> counts;
      for (int k = 0; k < tensors; ++k) {
        const std::uint64_t kind = rng.below(draw++, 4);
        const auto more = static_cast<std::int64_t>(rng.below(draw++, 9));
        counts.push_back(kind == 0   ? 0
                         : kind == 1 ? more
                         : kind == 2 ? chunk * (more + 1)
                                     : chunk * (more + 1) + 1);
      }
      expect_each_element_once(chunk, counts);
    }
  }
  expect_each_element_once(2048, {std::int64_t{3} << 31, 5});
}

}  // namespace
}  // namespace umbra
