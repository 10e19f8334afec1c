// How the CUDA rung of the stem numbers pairs of chunks, and in which order it visits planes.
#include <gtest/gtest.h>

#include <set>

#include "engine/ops/stem/cuda_2_lanes_index.h"

namespace umbra {
namespace {

TEST(Stem3dIndex, EveryPlaneIsTakenOnce) {
  for (int count = 1; count < 50; ++count) {
    std::set<int> planes;
    for (int i = 0; i < count; ++i) planes.insert(from_the_middle(i, count));
    EXPECT_EQ(planes.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(*planes.begin(), 0);
    EXPECT_EQ(*planes.rbegin(), count - 1);
  }
}

TEST(Stem3dIndex, PairsAreNumberedWithoutGaps) {
  for (int chunks = 1; chunks < 40; ++chunks) {
    int next = 0;
    for (int a = 0; a < chunks; ++a) {
      for (int b = a; b < chunks; ++b) EXPECT_EQ(stem_pair(a, b, chunks), next++);
    }
  }
}

TEST(Stem3dIndex,
     EverySumHasItsSlot) {  // taps that are products of a chunk with itself have two, of which one is used
  for (int in_channels = 1; in_channels < 4; ++in_channels) {
    const int patch = 27 * in_channels, chunks = 9 * in_channels;
    std::set<int> slots;
    for (int k = 0; k < patch; ++k) {
      slots.insert(stem_sum_slot(k, in_channels, chunks));
      for (int l = k; l < patch; ++l) {
        const int slot = stem_product_slot(k, l, in_channels, chunks);
        slots.insert(slot);
        EXPECT_LT(slot % kStemPairSums, kStemChunkTaps * kStemChunkTaps);
        // A chunk and a tap are a number of the patch again: row, tap, channel.
        const int a = stem_chunk(k, in_channels), tap = stem_chunk_tap(k, in_channels);
        EXPECT_EQ((a / in_channels * kStemChunkTaps + tap) * in_channels + a % in_channels, k);
      }
    }
    EXPECT_EQ(slots.size(), static_cast<std::size_t>(patch + patch * (patch + 1) / 2));
    EXPECT_LT(*slots.rbegin(), chunks * (chunks + 1) / 2 * kStemPairSums);
  }
}

}  // namespace
}  // namespace umbra
