// The conversions between umbra's layouts and those of cuDNN and cuBLASLt (bench/peers/convert.cu), through
// the emulator: against plain loops, on geometries with dead taps on every axis.
#include <gtest/gtest.h>

#include <random>

#include "bench/peers/convert.h"
#include "engine/ops/conv/shapes.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

std::vector<float> numbers(std::int64_t count) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::vector<float> list(static_cast<std::size_t>(count));
  for (float& value : list) value = static_cast<float>(random() % 20001) / 7000.0f - 1.4f;
  return list;
}

class Convert : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { cuda_test::set_schedule(GetParam()); }
  Stream stream{Device{Device::Kind::kCuda, 0}};
};

TEST_P(Convert, ActivationsThereAndBack) {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {33, 31}, {100, 5}, {64, 96}}) {
    const std::vector<float> from = numbers(rows * columns);
    std::vector<float> there(from.size(), NAN), back(from.size(), NAN);
    for (const Precision precision : {Precision::kF32, Precision::kTf32}) {
      transpose_in({from.data(), DType::kF32}, {there.data(), DType::kF32}, rows, columns, {}, precision,
                   stream);
      transpose_out({there.data(), DType::kF32}, back.data(), columns, rows, {}, stream);
      for (std::size_t i = 0; i < from.size(); ++i) ASSERT_EQ(back[i], rounded_to(precision, from[i]));
    }
    ASSERT_EQ(there[static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) - 1],
              round_to_tf32(from.back()));
    if (columns > 1) {
      ASSERT_EQ(there[static_cast<std::size_t>(rows)], round_to_tf32(from[1]));
    }
    std::vector<Bf16> half(from.size());
    transpose_in({from.data(), DType::kF32}, {half.data(), DType::kBf16}, rows, columns, {}, Precision::kBf16,
                 stream);
    transpose_out({half.data(), DType::kBf16}, back.data(), columns, rows, {}, stream);
    for (std::size_t i = 0; i < from.size(); ++i) ASSERT_EQ(back[i], round_to_bf16(from[i]));
  }
}

TEST_P(Convert, WeightsWithZerosAtDeadTaps) {
  for (const ConvGeometry& g : {conv_on_cube(32, 3, 5, 1, 3, 1, 1), conv_on_cube(2, 7, 4, 2, 3, 2, 1),
                                conv_on_cube(5, 3, 2, 3, 2, 3, 3), conv_on_cube(3, 2, 5, 1, 1, 2, 1),
                                conv_on_cube(2, 13, 3, 3, 5, 1, 2),
                                ConvGeometry{3, 6, 4, {7, 1, 4}, {5, 1, 3}, {2, 1, 1}, {3, 0, 2}}}) {
    const std::vector<std::int32_t> live = g.live_tap_list();
    const std::int64_t C = g.in_channels, K = g.out_channels, rows = g.taps() * C;
    const std::vector<float> w = numbers(g.live_taps() * C * K);
    std::vector<float> dense(static_cast<std::size_t>(rows * K), NAN), want(dense.size(), 0.0f);
    for (std::size_t l = 0; l < live.size(); ++l) {
      for (std::int64_t c = 0; c < C; ++c) {
        for (std::int64_t k = 0; k < K; ++k) {
          want[static_cast<std::size_t>((k * g.taps() + live[l]) * C + c)] =
              w[static_cast<std::size_t>((static_cast<std::int64_t>(l) * C + c) * K + k)];
        }
      }
    }
    transpose_in({w.data(), DType::kF32}, {dense.data(), DType::kF32}, rows, K, live_rows(g), Precision::kF32,
                 stream);
    ASSERT_EQ(dense, want) << g;
    std::vector<float> back(w.size(), NAN);
    for (float& value : dense) value = value == 0 ? NAN : value;  // at dead taps, which must not be read
    transpose_out({dense.data(), DType::kF32}, back.data(), K, rows, live_rows(g), stream);
    ASSERT_EQ(back, w) << g;
  }
}

TEST_P(Convert, CopiesAndNoise) {
  const std::vector<float> from = numbers(1000);
  std::vector<float> to(1000, NAN);
  copy_rounded({from.data(), DType::kF32}, {to.data(), DType::kF32}, 999, Precision::kTf32, stream);
  for (std::size_t i = 0; i < 999; ++i) ASSERT_EQ(to[i], round_to_tf32(from[i]));
  ASSERT_TRUE(std::isnan(to[999]));
  std::vector<Bf16> half(1000);
  copy_rounded({from.data(), DType::kF32}, {half.data(), DType::kBf16}, 1000, Precision::kBf16, stream);
  copy_rounded({half.data(), DType::kBf16}, {to.data(), DType::kF32}, 1000, Precision::kF32, stream);
  for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(to[i], round_to_bf16(from[i]));
  double sum = 0, squares = 0;
  fill_noise({to.data(), DType::kF32}, 1000, 1, stream);
  for (const float value : to) {
    ASSERT_LT(std::abs(value), 1.0f);
    sum += value, squares += value * value;
  }
  EXPECT_LT(std::abs(sum), 60);  // 3 sigma
  EXPECT_NEAR(squares / 1000, 1. / 3, 0.04);
}

INSTANTIATE_TEST_SUITE_P(Orders, Convert, testing::Range(0, 3));

}  // namespace
}  // namespace umbra
