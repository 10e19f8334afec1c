// The index functions of engine/cuda/tile/operand_layout.h and mma_places.h against first principles: a wgmma
// reads what a copy wrote to shared memory, and the threads hold every element once.
#include "engine/cuda/tile/operand_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace umbra {
namespace {

constexpr unsigned kStart = 5 * 1024;  // of an operand in shared memory

TEST(Swizzle, PermutesTheChunksOfARowByTheRowsNumber) {
  for (const Swizzle swizzle : {Swizzle::kNone, Swizzle::k32, Swizzle::k64, Swizzle::k128}) {
    const unsigned row = swizzle_row(swizzle), chunks = row / 16;
    std::set<unsigned> seen;
    for (unsigned at = 0; at < 4096; ++at) {
      const unsigned to = swizzled(at, swizzle);
      EXPECT_TRUE(seen.insert(to).second);
      EXPECT_EQ(swizzled(to, swizzle), at);
      // The same row, the same byte of a chunk; the chunk XOR the number of the 128 bytes in their eight.
      ASSERT_EQ(to / row, at / row);
      ASSERT_EQ(to % 16, at % 16);
      ASSERT_EQ(to / 16 % chunks, (at / 16 % chunks) ^ (at / 128 % 8 % chunks));
    }
  }
  // Eight rows of one chunk, which are read at once, lie in eight different groups of four banks.
  for (unsigned chunk = 0; chunk < 8; ++chunk) {
    std::set<unsigned> banks;
    for (unsigned r = 0; r < 8; ++r) banks.insert(swizzled(128 * r + 16 * chunk, Swizzle::k128) / 16 % 8);
    EXPECT_EQ(banks.size(), 8u);
  }
}

TEST(Descriptor, TakesApartWhatItPutsTogether) {
  for (const Swizzle swizzle : {Swizzle::kNone, Swizzle::k32, Swizzle::k64, Swizzle::k128}) {
    for (const unsigned start : {1024u, 1056u, 227u * 1024u}) {
      const DescribedOperand got = described(wgmma_descriptor(start, 4096, 1 << 17, swizzle));
      EXPECT_EQ(got.start, start);
      EXPECT_EQ(got.leading, 4096u);
      EXPECT_EQ(got.stride, 1u << 17);
      EXPECT_EQ(got.swizzle, swizzle);
    }
  }
  // By the PTX ISA's table of "matrix descriptor".
  EXPECT_EQ(wgmma_descriptor(0x1234 * 16, 16, 1024, Swizzle::k128), 0x4000'0040'0001'1234u);
  EXPECT_EQ(wgmma_descriptor(16, 0, 512, Swizzle::k64) >> 62, 2u);
  EXPECT_EQ(wgmma_descriptor(16, 0, 256, Swizzle::k32) >> 62, 3u);
  // A step along k in the row is an addition.
  EXPECT_EQ(wgmma_descriptor(1024, 0, 1024, Swizzle::k128) + 2,
            wgmma_descriptor(1056, 0, 1024, Swizzle::k128));
}

// Shared memory after one copy of a box {row bytes / element bytes, rows}: which (x, y) each byte is of.
std::map<unsigned, std::pair<int, int>> box_in_memory(unsigned start, int element_bytes, Swizzle swizzle,
                                                      int rows) {
  std::map<unsigned, std::pair<int, int>> memory;
  const int wide = static_cast<int>(swizzle_row(swizzle)) / element_bytes;
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < wide; ++x) {
      const int dense = (y * wide + x) * element_bytes;
      memory[swizzled(start + static_cast<unsigned>(dense), swizzle)] = {x, y};
    }
  return memory;
}

TEST(OperandByte, FindsAKMajorBox) {
  for (const Swizzle swizzle : {Swizzle::k128, Swizzle::k64, Swizzle::k32}) {
    for (const int bytes : {2, 4}) {
      const int row = static_cast<int>(swizzle_row(swizzle)), rows = 200, one = 32 / bytes;
      const auto memory = box_in_memory(kStart, bytes, swizzle, rows);
      for (int step = 0; step < row / 32; ++step) {
        const auto descriptor =
            wgmma_descriptor(kStart + static_cast<unsigned>(32 * step), 0, swizzle_atom(swizzle), swizzle);
        for (int mn = 0; mn < rows; ++mn)
          for (int k = 0; k < one; ++k)
            ASSERT_EQ(memory.at(operand_byte(descriptor, Major::kK, bytes, mn, k)),
                      std::pair(step * one + k, mn));
      }
    }
  }
}

TEST(OperandByte, FindsMNMajorBoxesSideBySide) {
  constexpr int kSteps = 32, kOne = 16;  // along k: of a box, of a wgmma
  for (const Swizzle swizzle : {Swizzle::k128, Swizzle::k64, Swizzle::k32}) {
    const int wide = static_cast<int>(swizzle_row(swizzle)) / 2;
    const unsigned box_bytes = kSteps * swizzle_row(swizzle);
    std::map<unsigned, std::pair<int, int>> memory;  // (mn, k)
    for (int block = 0; block * wide < 200; ++block) {
      const unsigned start = kStart + static_cast<unsigned>(block) * box_bytes;
      for (const auto& [byte, at] : box_in_memory(start, 2, swizzle, kSteps))
        memory[byte] = {block * wide + at.first, at.second};
    }
    for (int step = 0; step < kSteps / kOne; ++step) {
      const unsigned start = kStart + static_cast<unsigned>(step) * 2 * swizzle_atom(swizzle);
      const auto descriptor = wgmma_descriptor(start, box_bytes, swizzle_atom(swizzle), swizzle);
      for (int mn = 0; mn < 200; ++mn)
        for (int k = 0; k < kOne; ++k)
          ASSERT_EQ(memory.at(operand_byte(descriptor, Major::kMN, 2, mn, k)),
                    std::pair(mn, step * kOne + k));
    }
  }
}

// Without a swizzle: cores of eight rows of 16 bytes.
TEST(OperandByte, FindsCores) {
  constexpr unsigned kAlong = 1 << 14, kAcross = 128;  // between cores
  for (int mn = 0; mn < 64; ++mn) {
    for (int k = 0; k < 16; ++k) {
      const auto k_major = wgmma_descriptor(kStart, kAlong, kAcross, Swizzle::kNone);
      EXPECT_EQ(operand_byte(k_major, Major::kK, 2, mn, k),
                kStart + static_cast<unsigned>(mn / 8 * 128 + mn % 8 * 16 + k / 8 * (1 << 14) + k % 8 * 2));
      const auto mn_major = wgmma_descriptor(kStart, kAlong, kAcross, Swizzle::kNone);
      EXPECT_EQ(operand_byte(mn_major, Major::kMN, 2, mn, k),
                kStart + static_cast<unsigned>(mn / 8 * 128 + k % 8 * 16 + k / 8 * (1 << 14) + mn % 8 * 2));
    }
  }
}

TEST(Fragments, CoverEveryElementOnce) {
  constexpr int kThreads = 128;
  for (const int n : {8, 32, 64, 128, 200, 256}) {
    std::set<std::pair<int, int>> seen;
    for (int t = 0; t < kThreads; ++t) {
      for (int i = 0; i < n / 2; ++i) {
        const Place2 at = wgmma_d_place(t, i);
        ASSERT_TRUE(at.row >= 0 && at.row < 64 && at.column >= 0 && at.column < n);
        ASSERT_EQ(at.row / 16, t / 32);  // a warp has its own sixteen rows
        ASSERT_TRUE(seen.insert({at.row, at.column}).second);
      }
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(64 * n));
  }
  for (const int bytes : {2, 4}) {
    const int steps = 32 / bytes, wide = 4 / bytes;
    std::set<std::pair<int, int>> seen;
    for (int t = 0; t < kThreads; ++t) {
      for (int i = 0; i < 4; ++i) {
        const Place2 at = wgmma_a_place(t, i, bytes);
        ASSERT_EQ(at.column % wide, 0);
        for (int e = 0; e < wide; ++e) ASSERT_TRUE(seen.insert({at.row, at.column + e}).second);
      }
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(64 * steps));
  }
  // The corners, as the PTX ISA draws them.
  const auto is = [](Place2 at, int row, int column) { return at.row == row && at.column == column; };
  EXPECT_TRUE(is(wgmma_d_place(0, 0), 0, 0) && is(wgmma_d_place(0, 1), 0, 1) &&
              is(wgmma_d_place(0, 2), 8, 0));
  EXPECT_TRUE(is(wgmma_d_place(0, 4), 0, 8) && is(wgmma_d_place(1, 0), 0, 2) &&
              is(wgmma_d_place(4, 0), 1, 0));
  EXPECT_TRUE(is(wgmma_d_place(127, 127), 63, 255));
  EXPECT_TRUE(is(wgmma_a_place(0, 1, 2), 8, 0) && is(wgmma_a_place(0, 2, 2), 0, 8));
  EXPECT_TRUE(is(wgmma_a_place(1, 0, 2), 0, 2) && is(wgmma_a_place(1, 3, 4), 8, 5));
}

}  // namespace
}  // namespace umbra
