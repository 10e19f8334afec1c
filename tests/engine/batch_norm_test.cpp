// Batch normalisation without options: gradient through the composition of forward and backward, accuracy
// where the mean is large compared with the spread, and the conventions of the running statistics.
#include <gtest/gtest.h>

#include "engine/ops/batch_norm/reference.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;

const std::vector<float> kNone;  // the buffer of an option that is off

struct View {
  std::int64_t outer, channels, inner;
  std::size_t count() const { return static_cast<std::size_t>(outer * channels * inner); }
  std::size_t width() const { return static_cast<std::size_t>(channels); }
};

class BatchNorm : public testing::TestWithParam<View> {};

TEST_P(BatchNorm, GradientIsTheAdjoint) {
  const View s = GetParam();
  const BatchNormForward forward(DType::kF64, s.outer, s.channels, s.inner, 1e-5, 0.1);
  const auto x = normals(s.count(), 1), gamma = normals(s.width(), 2), beta = normals(s.width(), 3);
  const auto vx = normals(s.count(), 4), vg = normals(s.width(), 5), vb = normals(s.width(), 6);
  const auto w = normals(s.count(), 7);

  DualVector x_dual = duals(x, vx), gamma_dual = duals(gamma, vg), beta_dual = duals(beta, vb);
  DualVector running_mean(s.width()), running_var(s.width(), 1.0), no_residual, y(s.count()),
      mean_dual(s.width()), invstd_dual(s.width());
  call_reference(batch_norm_forward_reference<Dual<double>>, forward, x_dual, gamma_dual, beta_dual,
                 running_mean, running_var, no_residual, y, mean_dual, invstd_dual);
  std::vector<double> mean(s.width()), invstd(s.width()), dx(s.count()), dgamma(s.width()), dbeta(s.width());
  std::vector<double> no_y, no_dresidual;
  for (std::size_t c = 0; c < s.width(); ++c) mean[c] = mean_dual[c].value, invstd[c] = invstd_dual[c].value;
  call_reference(batch_norm_backward_reference<double>,
                 BatchNormBackward(DType::kF64, s.outer, s.channels, s.inner), w, x, no_y, gamma, mean,
                 invstd, dx, dgamma, dbeta, no_dresidual);
  const Inner jv = Inner().add(derivatives(y), w), jtw = Inner().add(vx, dx).add(vg, dgamma).add(vb, dbeta);
  EXPECT_LT(adjoint_gap(jv, jtw), kAdjointTolerance);
}

TEST_P(BatchNorm, OutputHasZeroMeanAndUnitVariance) {
  const View s = GetParam();
  const auto x64 = normals(s.count(), 1);
  const std::vector<float> x(x64.begin(), x64.end()), zeros(s.width()), ones(s.width(), 1.0f);
  with_every_rung(
      BatchNormForward(DType::kF32, s.outer, s.channels, s.inner, 0.0, 0.1),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
          const auto& y, const auto&, const auto&) {
        for (std::int64_t c = 0; c < s.channels; ++c) {
          double sum = 0, squares = 0;
          const double count = static_cast<double>(s.outer * s.inner);
          for_channel(s, c, [&](std::int64_t i) {
            const double value = static_cast<double>(y[static_cast<std::size_t>(i)]);
            sum += value / count;
            squares += value * value / count;
          });
          EXPECT_NEAR(sum, 0, 1e-6) << rung;
          EXPECT_NEAR(squares, 1, 1e-6) << rung;
        }
      },
      x, ones, zeros, zeros, ones, kNone, std::vector<float>(s.count()), zeros, zeros);
}

INSTANTIATE_TEST_SUITE_P(Shapes, BatchNorm,
                         testing::Values(View{4, 3, 5}, View{5, 7, 1}, View{1, 2, 9}, View{2, 1, 1},
                                         View{6, 2, 125}, View{33, 65, 1}),
                         [](const auto& shape) {
                           return concat("o", shape.param.outer, "c", shape.param.channels, "i",
                                         shape.param.inner);
                         });

void PrintTo(const View& s, std::ostream* out) {
  *out << "o" << s.outer << "c" << s.channels << "i" << s.inner;
}

TEST(BatchNormAccuracy, MeanLargeBesideTheSpread) {
  // Values 16384 + k / 512: the spread is eight steps of a float at this size, and E[x^2] - E[x]^2 in float
  // has no digits.
  constexpr std::int64_t kOuter = 8, kChannels = 2, kInner = 1000;
  std::vector<float> x(kOuter * kChannels * kInner);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 16384.0f + static_cast<float>(i % 9) / 512.0f;
  const std::vector<float> zeros(kChannels), ones(kChannels, 1.0f);
  with_every_rung(
      BatchNormForward(DType::kF32, kOuter, kChannels, kInner, 0.0, 0.1),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto& running_var,
          const auto&, const auto& y, const auto& mean, const auto& invstd) {
        for (std::size_t c = 0; c < kChannels; ++c) {
          double m = 0, var = 0;
          const View s{kOuter, kChannels, kInner};
          for_channel(s, static_cast<std::int64_t>(c), [&](std::int64_t i) {
            m += static_cast<double>(x[static_cast<std::size_t>(i)]) / 8000;
          });
          for_channel(s, static_cast<std::int64_t>(c), [&](std::int64_t i) {
            var += std::pow(static_cast<double>(x[static_cast<std::size_t>(i)]) - m, 2) / 8000;
          });
          EXPECT_NEAR(static_cast<double>(mean[c]), m, 1e-3) << rung;
          EXPECT_NEAR(static_cast<double>(invstd[c]) * std::sqrt(var), 1, 1e-6) << rung;
          EXPECT_NEAR(static_cast<double>(running_var[c]), 0.9 + 0.1 * var * 8000 / 7999, 1e-6) << rung;
          for_channel(s, static_cast<std::int64_t>(c), [&](std::int64_t i) {
            const auto at = static_cast<std::size_t>(i);
            EXPECT_NEAR(static_cast<double>(y[at]), (static_cast<double>(x[at]) - m) / std::sqrt(var), 1e-6)
                << rung;
          });
        }
      },
      x, ones, zeros, zeros, ones, kNone, std::vector<float>(x.size()), zeros, zeros);
}

TEST(BatchNormAccuracy, OneOutlierIsNoTrap) {
  // The first value, which the fast rung subtracts, is as far from the mean as possible: mean - first = std
  // sqrt(n - 1).
  constexpr std::int64_t kInner = 20000;
  std::vector<float> x(kInner, 0.0f);
  x[0] = 1e6f;
  const std::vector<float> zeros(1), ones(1, 1.0f);
  const double n = static_cast<double>(kInner), var = 1e12 * (1 / n - 1 / n / n);
  with_every_rung(
      BatchNormForward(DType::kF32, 1, 1, kInner, 0.0, 0.1),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
          const auto& y, const auto& mean, const auto& invstd) {
        EXPECT_NEAR(static_cast<double>(mean[0]) / 50, 1, 1e-7) << rung;
        EXPECT_NEAR(static_cast<double>(invstd[0]) * std::sqrt(var), 1, 1e-7) << rung;
        EXPECT_NEAR(static_cast<double>(y[0]) / std::sqrt(n - 1), 1, 1e-6) << rung;
      },
      x, ones, zeros, zeros, ones, kNone, std::vector<float>(x.size()), zeros, zeros);
}

TEST(BatchNormAccuracy, ConstantInputGivesBeta) {
  for (float value : {0.0f, 1.0f, 12345.678f}) {
    with_every_rung(
        BatchNormForward(DType::kF32, 4, 1, 33, 1e-5, 0.1),
        [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&,
            const auto&, const auto& y, const auto&, const auto& invstd) {
          for (float out : y) EXPECT_NEAR(static_cast<double>(out), 0.25, 1e-6) << rung;
          EXPECT_NEAR(static_cast<double>(invstd[0]), 1 / std::sqrt(1e-5), 1e-4) << rung;
        },
        std::vector<float>(132, value), std::vector<float>{2}, std::vector<float>{0.25f},
        std::vector<float>(1), std::vector<float>(1, 1.0f), kNone, std::vector<float>(132),
        std::vector<float>(1), std::vector<float>(1));
  }
}

TEST(BatchNormRunning, MomentumAndUnbiasedVariance) {
  // x = 0, 2, 4: mean 2, biased variance 8/3, unbiased 4.
  with_every_rung(
      BatchNormForward(DType::kF32, 3, 1, 1, 1e-5, 0.25),
      [](std::string_view rung, const auto&, const auto&, const auto&, const auto& running_mean,
         const auto& running_var, const auto&, const auto&, const auto&, const auto&) {
        EXPECT_FLOAT_EQ(running_mean[0], 0.75f * 10 + 0.25f * 2) << rung;
        EXPECT_FLOAT_EQ(running_var[0], 0.75f * 5 + 0.25f * 4) << rung;
      },
      std::vector<float>{0, 2, 4}, std::vector<float>{1}, std::vector<float>{0}, std::vector<float>{10},
      std::vector<float>{5}, kNone, std::vector<float>(3), std::vector<float>(1), std::vector<float>(1));
}

TEST(BatchNormRunning, InferenceUsesThem) {
  with_every_rung(
      BatchNormInference(DType::kF32, 1, 2, 2, 0.0),
      [](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
         const auto& y) {
        EXPECT_EQ(y, (std::vector<float>{1, 2, -6, -3})) << rung;
      },
      std::vector<float>{1, 2, 5, 4.5f}, std::vector<float>{2, -3}, std::vector<float>{1, 0},
      std::vector<float>{1, 4}, std::vector<float>{4, 0.25f}, kNone, std::vector<float>(4));
}

}  // namespace
}  // namespace umbra
