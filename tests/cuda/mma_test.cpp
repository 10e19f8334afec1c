// Which thread holds which elements in a warp's multiplication, and that slices in shared memory are written
// to and read from all 32 banks at once.
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "engine/cuda/tile/mma_places.h"

namespace umbra {
namespace {

constexpr int kLanes = 32, kBanks = 32;

TEST(MmaPlaces, EveryElementHasOneHolder) {
  std::set<std::pair<int, int>> a, b, d;
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const MmaOperandPlace of_a = mma_a_place(lane, i);
      const MmaResultPlace of_d = mma_d_place(lane, i);
      ASSERT_TRUE(of_a.line >= 0 && of_a.line < kMmaRows && of_a.word >= 0 && of_a.word < kMmaWords);
      ASSERT_TRUE(of_d.row >= 0 && of_d.row < kMmaRows && of_d.column >= 0 && of_d.column < kMmaColumns);
      EXPECT_TRUE(a.insert({of_a.line, of_a.word}).second);
      EXPECT_TRUE(d.insert({of_d.row, of_d.column}).second);
    }
    for (int i = 0; i < 2; ++i) {
      const MmaOperandPlace of_b = mma_b_place(lane, i);
      ASSERT_TRUE(of_b.line >= 0 && of_b.line < kMmaColumns && of_b.word >= 0 && of_b.word < kMmaWords);
      EXPECT_TRUE(b.insert({of_b.line, of_b.word}).second);
    }
  }
}

TEST(MmaPlaces, SumsSideBySideMakeFours) {  // which for_each_four of mma_tile.h relies on
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const MmaResultPlace at = mma_d_place(lane, i), neighbour = mma_d_place(lane ^ 1, i);
      EXPECT_EQ(at.row, neighbour.row);
      EXPECT_EQ(at.column / 4, neighbour.column / 4);
      EXPECT_EQ(at.column % 4, lane % 2 * 2 + i % 2);
    }
  }
}

// The banks of the words at(line, word) that the lanes of a warp touch together.
template <class Order, class Lines, class Words>
std::size_t banks(const Lines& line, const Words& word) {
  std::set<int> banks;
  for (int lane = 0; lane < kLanes; ++lane) banks.insert(Order::at(line(lane), word(lane)) % kBanks);
  return banks.size();
}

template <class Order, int kLines>
void expect_one_to_one() {
  std::set<int> places;
  for (int line = 0; line < kLines; ++line) {
    for (int word = 0; word < kMmaSliceWords; ++word) {
      const int at = Order::at(line, word);
      ASSERT_TRUE(at >= 0 && at < Order::kSize);
      EXPECT_TRUE(places.insert(at).second);
    }
  }
}

template <class Order, int kLines>
void expect_reads_without_conflicts() {
  for (int first = 0; first < kLines; first += kMmaColumns) {
    for (int word = 0; word < kMmaSliceWords; word += kMmaWords) {
      for (int i = 0; i < 4 && first + kMmaRows <= kLines; ++i) {
        EXPECT_EQ(banks<Order>([&](int lane) { return first + mma_a_place(lane, i).line; },
                               [&](int lane) { return word + mma_a_place(lane, i).word; }),
                  32u);
      }
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(banks<Order>([&](int lane) { return first + mma_b_place(lane, i).line; },
                               [&](int lane) { return word + mma_b_place(lane, i).word; }),
                  32u);
      }
    }
  }
}

template <int kLines>
void check_orders() {
  using ByLine = WordsByLine<kLines>;
  using ByStep = WordsByStep<kLines>;
  expect_one_to_one<ByLine, kLines>();
  expect_one_to_one<ByStep, kLines>();
  expect_reads_without_conflicts<ByLine, kLines>();
  expect_reads_without_conflicts<ByStep, kLines>();
  // Stores as in mma_tile.h: 32 neighbouring lines of one word …
  for (int word = 0; word < kMmaSliceWords; ++word) {
    for (int line = 0; line < kLines; line += 32)
      EXPECT_EQ(banks<ByLine>([&](int lane) { return line + lane; }, [&](int) { return word; }), 32u);
  }
  // … or 16 words of two: in TF32 half a warp each, in BF16 even and odd threads.
  for (int line = 0; line < kLines; line += 2) {
    EXPECT_EQ(banks<ByStep>([&](int lane) { return line + lane / 16; }, [](int lane) { return lane % 16; }),
              32u);
    EXPECT_EQ(banks<ByStep>([&](int lane) { return line + lane % 2; }, [](int lane) { return lane / 2; }),
              32u);
  }
}

TEST(MmaPlaces, SlicesUseEveryBankOnce) {
  check_orders<64>();
  check_orders<128>();
}

}  // namespace
}  // namespace umbra
