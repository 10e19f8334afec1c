// Softmax where it is easy to get wrong: axes, huge numbers, infinities, NaN; and its gradients.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "engine/ops/softmax/reference.h"
#include "tests/fixtures/special_values.h"

namespace umbra {
namespace {

using namespace testing_ops;

/// outer, extent, inner
constexpr std::array<std::int64_t, 3> kViews[] = {{4, 5, 1}, {2, 3, 4}, {1, 7, 3}, {3, 1, 2}, {1, 1, 1}};

TEST(Softmax, GradientIsTheAdjoint) {
  for (const bool log : {false, true}) {
    for (const auto& [outer, extent, inner] : kViews) {
      const SoftmaxForward forward(DType::kF64, outer, extent, inner, log);
      const auto count = static_cast<std::size_t>(forward.count());
      const auto x = normals(count, 1), v = normals(count, 2), w = normals(count, 3);
      DualVector x_dual = duals(x, v), y_dual(count);
      call_reference(softmax_forward_reference<Dual<double>>, forward, x_dual, y_dual);
      std::vector<double> y(count), dx(count);
      call_reference(softmax_forward_reference<double>, forward, x, y);
      call_reference(softmax_backward_reference<double>,
                     SoftmaxBackward(DType::kF64, outer, extent, inner, log), w, y, dx);
      const Inner there = Inner().add(derivatives(y_dual), w), back = Inner().add(v, dx);
      // The softmax of a row with one number is always 1, and both products are roundings of 0.
      EXPECT_LE(std::abs(there.sum - back.sum), kAdjointTolerance * (there.size + back.size + 1)) << forward;
    }
  }
}

void expect_rows(bool log, std::int64_t rows, std::int64_t columns, const Doubles& x, const Doubles& want) {
  expect_softmax(Device::Kind::kCpu, log, rows, columns, x, want);
}

TEST(Softmax, ValuesByHand) {
  const auto ln = [](double value) { return std::log(value); };
  const Doubles x{ln(1), ln(2), ln(5), 7, 7, 7};
  expect_rows(false, 2, 3, x, {0.125, 0.25, 0.625, 1.0 / 3, 1.0 / 3, 1.0 / 3});
  expect_rows(true, 2, 3, x, {ln(0.125), ln(0.25), ln(0.625), -ln(3), -ln(3), -ln(3)});
}

TEST(Softmax, OneNumberIsCertain) {
  expect_rows(false, 3, 1, {-1e30, 0, 5}, {1, 1, 1});
  expect_rows(true, 3, 1, {-1e30, 0, 5}, {0, 0, 0});
}

TEST(Softmax, HugeNumbersStayFinite) {
  expect_rows(false, 2, 3, {1e30, 0, -1e30, 3e38, 3e38, -3e38}, {1, 0, 0, 0.5, 0.5, 0});
  expect_rows(true, 1, 3, {1e30, 0, -1e30}, {0, -1e30, -2e30});
}

TEST(Softmax, InfinitiesAndNanAsInPyTorch) {
  expect_infinities_and_nan_in_softmax_as_in_pytorch(Device::Kind::kCpu);
}

TEST(Softmax, ANanStaysInItsRow) {
  expect_nan_in_softmax_to_stay_in_its_row(Device::Kind::kCpu);
}

TEST(Softmax, WhatIsRuledOutHasAGradient) {
  with_every_rung(
      SoftmaxBackward(DType::kF32, 1, 3, 1, true),
      [](std::string_view rung, const auto&, const auto&, const std::vector<float>& dx) {
        EXPECT_EQ(dx[0], 1) << rung;
        EXPECT_NEAR(dx[1], 2 - 3, 1e-6) << rung;
        EXPECT_NEAR(dx[2], 3 - 3, 1e-6) << rung;
      },
      std::vector<float>{1, 2, 3},
      std::vector<float>{-std::numeric_limits<float>::infinity(), std::log(0.5f), std::log(0.5f)},
      std::vector<float>(3));
}

}  // namespace
}  // namespace umbra
