// How the CUDA rung of the stem numbers sums of products.
#include <gtest/gtest.h>

#include <set>

#include "engine/ops/stem/cuda_2_lanes_index.h"

namespace umbra {
namespace {

TEST(Stem3dIndex, PairsAreNumberedWithoutGaps) {
  for (int count = 1; count < 40; ++count) {
    int next = 0;
    for (int a = 0; a < count; ++a) {
      for (int b = a; b < count; ++b) EXPECT_EQ(stem_pair(a, b, count), next++);
    }
  }
}

TEST(Stem3dIndex, EverySumHasItsSlot) {
  for (int in_channels = 1; in_channels < 4; ++in_channels) {
    const int patch = 27 * in_channels, eights = stem_tiles(patch + 1, 8);
    std::set<int> slots;
    for (int k = 0; k < patch; ++k) {
      slots.insert(stem_sum_slot(k, patch));
      for (int l = k; l < patch; ++l) slots.insert(stem_product_slot(k, l, patch));
    }
    EXPECT_EQ(slots.size(), static_cast<std::size_t>(patch + patch * (patch + 1) / 2));
    EXPECT_LT(*slots.rbegin(), eights * (eights + 1) / 2 * kStemTileSums);
  }
}

}  // namespace
}  // namespace umbra
