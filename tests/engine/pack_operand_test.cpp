// Packed operands by hand: both orders, gaps, rounding.
#include "engine/ops/data_movement/pack_operand.h"

#include <gtest/gtest.h>

#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;

TEST(PackOperand, SmallExampleByHand) {
  // Two matrices of two rows and three columns; the digits of a number are matrix, row and column.
  const std::vector<float> from{111, 112, 113, 121, 122, 123, 211, 212, 213, 221, 222, 223};
  const std::vector<float> straight{111, 112, 113, 0, 121, 122, 123, 0, 211, 212, 213, 0, 221, 222, 223, 0};
  const std::vector<float> transposed{111, 121, 0, 0, 112, 122, 0, 0, 113, 123, 0, 0,
                                      211, 221, 0, 0, 212, 222, 0, 0, 213, 223, 0, 0};
  int rungs = 0;
  with_every_rung(
      PackOperand(DType::kF32, Precision::kTf32, {{2, 2, 3}}),
      [&](std::string_view rung, const auto&, const auto& along, const auto& across) {
        EXPECT_EQ(along, straight) << rung;
        EXPECT_EQ(across, transposed) << rung;
        ++rungs;
      },
      from, std::vector<float>(16), std::vector<float>(24));
  EXPECT_GT(rungs, 0);
}

TEST(PackOperand, RoundsToNearest) {
  const std::vector<float> from{1 + 0x1p-8f, 1 + 0x1p-11f,
                                -3};  // halfway between two bfloat16, two TF32 numbers
  with_every_rung(
      PackOperand(DType::kF32, Precision::kBf16, {{1, 1, 3}}),
      [&](std::string_view rung, const auto&, const auto& along, const auto& across) {
        for (std::size_t i = 0; i < along.size(); ++i)
          EXPECT_EQ(along[i].bits, i < 3 ? bf16_bits(from[i]) : 0) << rung << ' ' << i;
        for (std::size_t i = 0; i < across.size(); ++i)
          EXPECT_EQ(across[i].bits, i % 8 == 0 ? bf16_bits(from[i / 8]) : 0) << rung << ' ' << i;
      },
      from, std::vector<Bf16>(8), std::vector<Bf16>(24));
  with_every_rung(
      PackOperand(DType::kF32, Precision::kTf32, {{1, 1, 3}}),
      [&](std::string_view rung, const auto&, const auto& along, const auto&) {
        EXPECT_EQ(along, (std::vector<float>{1 + 0x1p-8f, 1 + 0x1p-10f, -3, 0})) << rung;
      },
      from, std::vector<float>(4), std::vector<float>(12));
}

TEST(PackOperand, NeedsAPrecisionToRoundTo) {
  try {
    PackOperand(DType::kF32, Precision::kF32, {{1, 1, 1}});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "operands are packed with precision tf32 or bf16, not fp32");
  }
}

}  // namespace
}  // namespace umbra
