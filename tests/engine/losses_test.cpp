// The losses: values by hand, extreme inputs, and gradients by dual numbers (of chi2_log above and below its
// floor).
#include <gtest/gtest.h>

#include <limits>

#include "engine/ops/loss/chi2_reference.h"
#include "engine/ops/loss/mse_reference.h"
#include "engine/ops/loss/softmax_cross_entropy_reference.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;

const std::vector<float> kNoWeights;

std::vector<double> positives(std::size_t count, std::uint64_t stream) {
  auto values = normals(count, stream);
  for (double& value : values) value = std::exp(value);
  return values;
}

/// <dp, v> must be the derivative of the loss along v; the gradient of a loss is its Jacobian, and w = 1.
void expect_gradient(double derivative, const std::vector<double>& v, const std::vector<double>& gradient) {
  const Inner backward = Inner().add(v, gradient);
  EXPECT_LT(std::abs(derivative - backward.sum) / backward.size, kAdjointTolerance);
}

TEST(MeanSquaredError, GradientByDualNumbers) {
  const MeanSquaredError op(DType::kF64, 7, 14);
  const auto p = normals(98, 1), t = normals(98, 2), v = normals(98, 3);
  DualVector p_dual = duals(p, v), t_dual(t.begin(), t.end()), loss_dual(1), dp_dual(98);
  call_reference(mean_squared_error_reference<Dual<double>>, op, p_dual, t_dual, loss_dual, dp_dual);
  std::vector<double> loss(1), dp(98);
  call_reference(mean_squared_error_reference<double>, op, p, t, loss, dp);
  expect_gradient(loss_dual[0].derivative, v, dp);
}

TEST(Chi2Linear, GradientByDualNumbers) {
  const Chi2Linear op(DType::kF64, 7, 14);
  const auto p = normals(98, 1), t = normals(98, 2), v = normals(98, 3), sigma = positives(14, 4);
  DualVector p_dual = duals(p, v), t_dual(t.begin(), t.end()), sigma_dual(sigma.begin(), sigma.end()),
             loss_dual(1), dp_dual(98);
  call_reference(chi2_linear_reference<Dual<double>>, op, p_dual, t_dual, sigma_dual, loss_dual, dp_dual);
  std::vector<double> loss(1), dp(98);
  call_reference(chi2_linear_reference<double>, op, p, t, sigma, loss, dp);
  expect_gradient(loss_dual[0].derivative, v, dp);
}

TEST(Chi2Log, GradientByDualNumbersAcrossTheFloor) {
  const Chi2Log op(DType::kF64, 7, 14, 0.5);
  auto p = normals(98, 1);  // negative, below and above the floor
  p[0] = 0.5;               // on it: the tangent makes the gradient continuous
  p[1] = 0;
  const auto t = positives(98, 2), v = normals(98, 3), sigma = positives(14, 4);
  DualVector p_dual = duals(p, v), t_dual(t.begin(), t.end()), sigma_dual(sigma.begin(), sigma.end()),
             loss_dual(1), dp_dual(98);
  call_reference(chi2_log_reference<Dual<double>>, op, p_dual, t_dual, sigma_dual, loss_dual, dp_dual);
  std::vector<double> loss(1), dp(98);
  call_reference(chi2_log_reference<double>, op, p, t, sigma, loss, dp);
  expect_gradient(loss_dual[0].derivative, v, dp);
}

TEST(Chi2Log, IsContinuouslyDifferentiableAtItsFloor) {
  constexpr double kFloor = 1e-3, kStep = 1e-12;
  EXPECT_NEAR(chi2_log10(kFloor * (1 - kStep), kFloor), chi2_log10(kFloor * (1 + kStep), kFloor), 2e-12);
  EXPECT_NEAR(chi2_log10_derivative(kFloor * (1 - kStep), kFloor) /
                  chi2_log10_derivative(kFloor * (1 + kStep), kFloor),
              1, 2e-12);
}

TEST(SoftmaxCrossEntropy, GradientByDualNumbers) {
  const SoftmaxCrossEntropy op(DType::kF64, 6, 10);
  const auto z = normals(60, 1), v = normals(60, 2);
  const std::vector<std::int32_t> label{0, 9, 3, 3, 5, 1};
  DualVector z_dual = duals(z, v), loss_dual(1), dz_dual(60);
  DualVector no_weights_dual;
  call_reference(softmax_cross_entropy_reference<Dual<double>>, op, z_dual, label, no_weights_dual, loss_dual,
                 dz_dual);
  std::vector<double> no_weights, loss(1), dz(60);
  call_reference(softmax_cross_entropy_reference<double>, op, z, label, no_weights, loss, dz);
  expect_gradient(loss_dual[0].derivative, v, dz);
}

TEST(Losses, ValuesByHand) {
  const auto near = [](float got, double want, std::string_view rung) {
    EXPECT_NEAR(static_cast<double>(got), want, 1e-6 * std::abs(want)) << rung;
  };
  with_every_rung(
      MeanSquaredError(DType::kF32, 2, 1),
      [&](std::string_view rung, const auto&, const auto&, const auto& loss, const auto& dp) {
        near(loss[0], (9.0 + 1.0) / 2, rung);
        near(dp[0], 3, rung);
        near(dp[1], -1, rung);
      },
      std::vector<float>{4, 1}, std::vector<float>{1, 2}, std::vector<float>(1), std::vector<float>(2));
  with_every_rung(
      Chi2Linear(DType::kF32, 2, 1),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto& loss, const auto& dp) {
        near(loss[0], (9.0 + 1.0) / 0.25 / 2, rung);
        near(dp[0], 2 * 3 / 0.25 / 2, rung);
        near(dp[1], 2 * -1 / 0.25 / 2, rung);
      },
      std::vector<float>{4, 1}, std::vector<float>{1, 2}, std::vector<float>{0.5f}, std::vector<float>(1),
      std::vector<float>(2));
  with_every_rung(  // an empty bin predicted as 100 times the floor costs (2 / 0.5)^2, and one at the floor
                    // nothing
      Chi2Log(DType::kF32, 1, 2, 0.25),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto& loss, const auto& dp) {
        near(loss[0], 16.0 / 2, rung);
        near(dp[0], 2 * 2 / 0.25 / (25 * std::numbers::ln10) / 2, rung);
        EXPECT_EQ(dp[1], 0) << rung;
      },
      std::vector<float>{25, 0.25f}, std::vector<float>{0, 0}, std::vector<float>{0.5f, 0.5f},
      std::vector<float>(1), std::vector<float>(2));
  with_every_rung(
      SoftmaxCrossEntropy(DType::kF32, 1, 4),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto& loss, const auto& dz) {
        near(loss[0], std::log(4.0), rung);
        near(dz[0], 0.25, rung);
        near(dz[2], -0.75, rung);
      },
      std::vector<float>(4, 7.0f), std::vector<std::int32_t>{2}, kNoWeights, std::vector<float>(1),
      std::vector<float>(4));
}

TEST(SoftmaxCrossEntropy, HugeLogitsStayFinite) {
  with_every_rung(
      SoftmaxCrossEntropy(DType::kF32, 2, 3),
      [](std::string_view rung, const auto&, const auto&, const auto&, const auto& loss, const auto& dz) {
        EXPECT_FLOAT_EQ(loss[0], (0 + 2e30f) / 2) << rung;
        EXPECT_EQ(dz[0], 0) << rung;
        EXPECT_FLOAT_EQ(dz[3], 0.5f) << rung;
        EXPECT_FLOAT_EQ(dz[4], -0.5f) << rung;
      },
      std::vector<float>{1e30f, 0, -1e30f, 1e30f, -1e30f, 0}, std::vector<std::int32_t>{0, 1}, kNoWeights,
      std::vector<float>(1), std::vector<float>(6));
}

TEST(Losses, NanIsNeverHidden) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto is_nan = [](std::string_view rung, const auto& loss) {
    EXPECT_TRUE(std::isnan(loss[0])) << rung;
  };
  const std::vector<float> bad{1, kNan, 2, 3}, good{1, 2, 3, 4}, sigma{1, 1}, one(1), out(4);
  with_every_rung(
      MeanSquaredError(DType::kF32, 2, 2),
      [&](std::string_view rung, const auto&, const auto&, const auto& loss, const auto&) {
        is_nan(rung, loss);
      },
      bad, good, one, out);
  with_every_rung(
      Chi2Linear(DType::kF32, 2, 2),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto& loss, const auto&) {
        is_nan(rung, loss);
      },
      bad, good, sigma, one, out);
  with_every_rung(
      Chi2Log(DType::kF32, 2, 2, 0.1),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto& loss, const auto&) {
        is_nan(rung, loss);
      },
      bad, good, sigma, one, out);
  with_every_rung(
      SoftmaxCrossEntropy(DType::kF32, 2, 2),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto& loss, const auto&) {
        is_nan(rung, loss);
      },
      bad, std::vector<std::int32_t>{0, 1}, kNoWeights, one, out);
}

}  // namespace
}  // namespace umbra
