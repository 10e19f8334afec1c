// The emulator's tensor core: roundings, and products of random matrices against plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "cuda_grid.h"
#include "engine/base/philox.h"
#include "engine/cuda/tile/mma_places.h"
#include "mma.h"

namespace umbra {
namespace {

TEST(Mma, OperandsAreRoundedToNearest) {
  const auto tf32 = [](float value) { return std::bit_cast<float>(to_tf32(value)); };
  const float step = std::ldexp(1.0f, -10);  // from 1 to the next TF32 number
  EXPECT_EQ(tf32(1 + 0.49f * step), 1);
  EXPECT_EQ(tf32(1 + 0.5f * step), 1 + step);  // ties go away from zero
  EXPECT_EQ(tf32(-1 - 0.5f * step), -1 - step);
  EXPECT_EQ(tf32(1 + 1.49f * step), 1 + step);
  EXPECT_EQ(tf32(std::numeric_limits<float>::infinity()), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(tf32(std::numeric_limits<float>::quiet_NaN())));
  const float wide = std::ldexp(1.0f, -7);            // from 1 to the next BF16 number
  EXPECT_EQ(to_bf16x2(1, -2), 0xc0003f80u);           // the first in the low half
  EXPECT_EQ(to_bf16x2(1 + 0.5f * wide, 0), 0x3f80u);  // ties go to even
  EXPECT_EQ(to_bf16x2(1 + 1.5f * wide, 0), 0x3f82u);
}

struct Words {
  unsigned a[kMmaRows][kMmaWords], b[kMmaColumns][kMmaWords];
};

__global__ void multiply(const Words* words, float* d, bool bf16) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  unsigned a[1][4], b[1][2];
  float sums[1][1][4];
  for (int i = 0; i < 4; ++i) {
    a[0][i] = words[warp].a[mma_a_place(lane, i).line][mma_a_place(lane, i).word];
    const MmaResultPlace at = mma_d_place(lane, i);
    sums[0][0][i] = d[(warp * kMmaRows + at.row) * kMmaColumns + at.column];
  }
  for (int i = 0; i < 2; ++i) b[0][i] = words[warp].b[mma_b_place(lane, i).line][mma_b_place(lane, i).word];
  for (int twice = 0; twice < 2; ++twice) {
    if (bf16) {
      mma_pieces<Precision::kBf16>(sums, a, b);
    } else {
      mma_pieces<Precision::kTf32>(sums, a, b);
    }
  }
  for (int i = 0; i < 4; ++i) {
    const MmaResultPlace at = mma_d_place(lane, i);
    d[(warp * kMmaRows + at.row) * kMmaColumns + at.column] = sums[0][0][i];
  }
}

// Small integers: every order of the sums gives the same.
void check(bool bf16) {
  constexpr int kWarps = 3;
  const int numbers = kMmaWords * (bf16 ? 2 : 1);
  const Rng rng(2018, Purpose::kTest, 0);
  std::uint64_t drawn = 0;
  const auto number = [&] { return static_cast<float>(rng.below(drawn++, 33)) - 16; };
  std::vector<Words> words(kWarps);
  std::vector<float> d, expected;
  for (Words& of_warp : words) {
    std::vector<std::vector<float>> a, b;
    const auto fill = [&](auto& lines, auto& plain) {
      for (auto& line : lines) {
        std::vector<float>& values = plain.emplace_back();
        for (int k = 0; k < numbers; ++k) values.push_back(number());
        for (int w = 0; w < kMmaWords; ++w) {
          const std::size_t first = static_cast<std::size_t>(bf16 ? 2 * w : w);
          line[w] = bf16 ? to_bf16x2(values[first], values[first + 1]) : to_tf32(values[first]);
        }
      }
    };
    fill(of_warp.a, a);
    fill(of_warp.b, b);
    for (const auto& row : a) {
      for (const auto& column : b) {
        d.push_back(number());
        expected.push_back(d.back());
        for (std::size_t k = 0; k < row.size(); ++k) expected.back() += 2 * row[k] * column[k];
      }
    }
  }
  for (const auto order :
       {emulator::Order::kForward, emulator::Order::kBackward, emulator::Order::kShuffled}) {
    emulator::set_order(order);
    std::vector<float> result = d;
    launch(multiply, {{1}, {32 * kWarps}}, nullptr, words.data(), result.data(), bf16);
    EXPECT_EQ(result, expected);
  }
  emulator::set_order(emulator::Order::kForward);
}

TEST(Mma, ProductsOfTf32AreThoseOfPlainLoops) {
  check(false);
}
TEST(Mma, ProductsOfBf16AreThoseOfPlainLoops) {
  check(true);
}

}  // namespace
}  // namespace umbra
