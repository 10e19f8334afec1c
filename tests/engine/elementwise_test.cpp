// What the gauntlet does not test of the small ops: NaN and infinity, the dropout mask bit by bit, empty
// buffers, and gradients (dual numbers against the backward references).
#include <gtest/gtest.h>

#include <limits>

#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/affine.h"
#include "engine/ops/elementwise/bias.h"
#include "engine/ops/elementwise/dropout.h"
#include "engine/ops/elementwise/mul.h"
#include "engine/ops/elementwise/relu.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/ops/elementwise/sigmoid.h"
#include "engine/ops/elementwise/tanh.h"
#include "engine/ops/pool/mean_pool_reference.h"
#include "engine/ops/reduce/op.h"
#include "tests/fixtures/special_values.h"

namespace umbra {
namespace {

using namespace testing_ops;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Relu, SpecialValues) {
  const std::vector<float> x{1, -1, 0,    -0.0f, kNan, kInfinity, -kInfinity, 1e-45f, -1e-45f,
                             2, -2, kNan, 3,     -3,   4,         -4,         kNan};
  with_every_rung(
      ReluForward(DType::kF32, 17),
      [&](std::string_view rung, const std::vector<float>&, const std::vector<float>& y) {
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (std::isnan(x[i])) {
            EXPECT_TRUE(std::isnan(y[i])) << rung << " hides the NaN at " << i;
          } else {
            EXPECT_EQ(y[i], x[i] > 0 ? x[i] : 0) << rung << " " << i;
            EXPECT_FALSE(std::signbit(y[i])) << rung << " " << i;
          }
        }
      },
      x, std::vector<float>(17));
}

TEST(Relu, BackwardPassesWhereOutputIsPositive) {
  const std::vector<float> dy{1, 2, 3, kNan, kInfinity}, y{1, 0, -1, 2, 0};
  with_every_rung(
      ReluBackward(DType::kF32, 5),
      [&](std::string_view rung, const auto&, const auto&, const std::vector<float>& dx) {
        EXPECT_EQ(dx[0], 1) << rung;
        EXPECT_EQ(dx[1], 0) << rung;
        EXPECT_EQ(dx[2], 0) << rung;
        EXPECT_TRUE(std::isnan(dx[3])) << rung;
        EXPECT_EQ(dx[4], 0) << rung << ": nothing passes a closed gate, not even infinity times zero";
      },
      dy, y, std::vector<float>(5));
}

TEST(Relu, GradientIsTheAdjoint) {
  auto x = normals(200, 1);
  for (double& value : x) value += value > 0 ? 0.1 : -0.1;  // away from the kink
  const auto v = normals(200, 2), w = normals(200, 3);
  DualVector x_dual = duals(x, v), y_dual(200);
  call_reference(relu_forward_reference<Dual<double>>, ReluForward(DType::kF64, 200), x_dual, y_dual);
  std::vector<double> y(200), dx(200);
  call_reference(relu_forward_reference<double>, ReluForward(DType::kF64, 200), x, y);
  call_reference(relu_backward_reference<double>, ReluBackward(DType::kF64, 200), w, y, dx);
  EXPECT_LT(adjoint_gap(Inner().add(derivatives(y_dual), w), Inner().add(v, dx)), kAdjointTolerance);
}

TEST(Exp, SpecialValues) {
  expect_special_values_of_exp(Device::Kind::kCpu);
}
TEST(Sigmoid, SpecialValues) {
  expect_special_values_of_sigmoid(Device::Kind::kCpu);
}
TEST(Tanh, SpecialValues) {
  expect_special_values_of_tanh(Device::Kind::kCpu);
}

/// Dual numbers through the forward reference against the backward one, which reads the output only.
template <class Forward, class Backward, class OnDuals, class ForwardOn, class BackwardOn>
double gap_of_output_gradient(const OnDuals& on_duals, const ForwardOn& forward, const BackwardOn& backward) {
  const auto x = normals(200, 1), v = normals(200, 2), w = normals(200, 3);
  DualVector x_dual = duals(x, v), y_dual(200);
  call_reference(on_duals, Forward(DType::kF64, 200), x_dual, y_dual);
  std::vector<double> y(200), dx(200);
  call_reference(forward, Forward(DType::kF64, 200), x, y);
  call_reference(backward, Backward(DType::kF64, 200), w, y, dx);
  return adjoint_gap(Inner().add(derivatives(y_dual), w), Inner().add(v, dx));
}

TEST(Sigmoid, GradientIsTheAdjoint) {
  const double gap = gap_of_output_gradient<SigmoidForward, SigmoidBackward>(
      sigmoid_forward_reference<Dual<double>>, sigmoid_forward_reference<double>,
      sigmoid_backward_reference<double>);
  EXPECT_LT(gap, kAdjointTolerance);
}
TEST(Tanh, GradientIsTheAdjoint) {
  const double gap = gap_of_output_gradient<TanhForward, TanhBackward>(
      tanh_forward_reference<Dual<double>>, tanh_forward_reference<double>, tanh_backward_reference<double>);
  EXPECT_LT(gap, kAdjointTolerance);
}

TEST(Mul, DerivativeIsThatOfAProduct) {
  const auto a = normals(50, 1), b = normals(50, 2), v = normals(50, 3), w = normals(50, 4);
  DualVector a_dual = duals(a, v), b_dual = duals(b, w), y(50);
  call_reference(mul_reference<Dual<double>>, Mul(DType::kF64, 50), a_dual, b_dual, y);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(y[i].derivative, v[i] * b[i] + a[i] * w[i]);
}

TEST(Add, DerivativeIsTheSumOfDerivatives) {
  const auto v = normals(50, 3), w = normals(50, 4);
  DualVector a = duals(normals(50, 1), v), b = duals(normals(50, 2), w), y(50);
  call_reference(add_reference<Dual<double>>, Add(DType::kF64, 50), a, b, y);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(y[i].derivative, v[i] + w[i]);
}

TEST(Scale, DerivativeIsScaled) {
  const auto v = normals(50, 3);
  DualVector x = duals(normals(50, 1), v), factor{Dual<double>(-2.5)};
  call_reference(scale_reference<Dual<double>>, Scale(DType::kF64, 50), x, factor);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(x[i].derivative, -2.5 * v[i]);
}

TEST(SetValue, RoundsItsValueToTheDtype) {
  with_every_rung(
      SetValue(DType::kF32, 3, 0.1),
      [](std::string_view rung, const std::vector<float>& x) {
        for (float value : x) EXPECT_EQ(value, 0.1f) << rung;
      },
      std::vector<float>(3));
}

TEST(Bias, GradientIsTheAdjoint) {
  for (const auto& [n, c, s] : {std::array{3, 4, 5}, std::array{4, 7, 1}, std::array{1, 1, 9}}) {
    const auto count = static_cast<std::size_t>(n * c * s), channels = static_cast<std::size_t>(c);
    const auto vx = normals(count, 1), vb = normals(channels, 2), w = normals(count, 3);
    DualVector x = duals(normals(count, 4), vx), bias = duals(normals(channels, 5), vb), y(count);
    call_reference(bias_forward_reference<Dual<double>>, BiasForward(DType::kF64, n, c, s), x, bias, y);
    std::vector<double> dbias(channels);
    call_reference(bias_backward_reference<double>, BiasBackward(DType::kF64, n, c, s), w, dbias);
    EXPECT_LT(adjoint_gap(Inner().add(derivatives(y), w), Inner().add(vx, w).add(vb, dbias)),
              kAdjointTolerance);
  }
}

TEST(MeanPool, GradientIsTheAdjoint) {
  const auto v = normals(3 * 4 * 27, 1), w = normals(3 * 4, 2);
  DualVector x = duals(normals(v.size(), 3), v), y(w.size());
  call_reference(mean_pool_forward_reference<Dual<double>>, MeanPoolForward(DType::kF64, 3, 4, 27), x, y);
  std::vector<double> dx(v.size());
  call_reference(mean_pool_backward_reference<double>, MeanPoolBackward(DType::kF64, 3, 4, 27), w, dx);
  EXPECT_LT(adjoint_gap(Inner().add(derivatives(y), w), Inner().add(v, dx)), kAdjointTolerance);
}

TEST(MeanPool, AveragesOverPositionsOfBatchLastData) {
  // Three positions, two channels, two samples.
  with_every_rung(
      MeanPoolForward(DType::kF32, 2, 2, 3),
      [](std::string_view rung, const auto&, const std::vector<float>& y) {
        EXPECT_EQ(y, (std::vector<float>{2, 20, 200, 2000})) << rung;
      },
      std::vector<float>{1, 10, 100, 1000, 2, 20, 200, 2000, 3, 30, 300, 3000}, std::vector<float>(4));
  with_every_rung(
      MeanPoolBackward(DType::kF32, 2, 2, 3),
      [](std::string_view rung, const auto&, const std::vector<float>& dx) {
        EXPECT_EQ(dx, (std::vector<float>{1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4})) << rung;
      },
      std::vector<float>{3, 6, 9, 12}, std::vector<float>(12));
}

TEST(Affine, GradientIsTheAdjoint) {
  const auto v = normals(5 * 14, 1), w = normals(5 * 14, 2), scale = normals(14, 3), shift = normals(14, 4);
  DualVector x = duals(normals(v.size(), 5), v), y(v.size());
  DualVector scale_dual(scale.begin(), scale.end()), shift_dual(shift.begin(), shift.end());
  call_reference(affine_forward_reference<Dual<double>>, AffineForward(DType::kF64, 5, 14), x, scale_dual,
                 shift_dual, y);
  std::vector<double> dx(v.size());
  call_reference(affine_backward_reference<double>, AffineBackward(DType::kF64, 5, 14), w, scale, dx);
  EXPECT_LT(adjoint_gap(Inner().add(derivatives(y), w), Inner().add(v, dx)), kAdjointTolerance);
}

TEST(Dropout, MaskIsThatOfPhiloxBitByBit) {
  constexpr std::int64_t kCount = 40003;
  constexpr std::uint64_t kSeed = 0x123456789ABCDEFu, kLayer = 3;
  constexpr std::int64_t kStep = 0x5000000;
  for (double p : {0.0, 1e-9, 0.3, 0.5, 0.7499999, 1.0}) {
    const Rng rng(kSeed, Purpose::kDropout, 0x500000003u);  // 256 kStep + kLayer
    with_every_rung(
        Dropout(DType::kF32, kCount, p, kSeed, kLayer),
        [&](std::string_view rung, const auto&, const auto&, const std::vector<float>& y) {
          for (std::uint64_t i = 0; i < kCount; ++i) {
            const bool kept = uniform_from(rng.words(i / 4)[i % 4]) >= p;
            ASSERT_EQ(y[i] != 0, kept) << rung << " p " << p << " element " << i;
          }
        },
        std::vector<float>(kCount, 1.0f), std::vector<std::int64_t>{kStep}, std::vector<float>(kCount));
  }
}

TEST(Dropout, KeepsTheMeanAndHidesDroppedNans) {
  constexpr std::int64_t kCount = 1 << 17;
  with_every_rung(
      Dropout(DType::kF32, kCount, 0.3, 1, 0),
      [&](std::string_view rung, const auto&, const auto&, const std::vector<float>& y) {
        double mean = 0;
        for (float value : y) mean += static_cast<double>(value) / kCount;
        // standard deviation of the mean: sqrt(p / (1 - p) / n) = 0.0018; five of them
        EXPECT_NEAR(mean, 1.0, 0.009) << rung;
      },
      std::vector<float>(kCount, 1.0f), std::vector<std::int64_t>{0}, std::vector<float>(kCount));
  with_every_rung(
      Dropout(DType::kF32, 100, 1.0, 1, 0),
      [](std::string_view rung, const auto&, const auto&, const std::vector<float>& y) {
        for (float value : y) EXPECT_EQ(value, 0) << rung;
      },
      std::vector<float>(100, kNan), std::vector<std::int64_t>{0}, std::vector<float>(100, 1.0f));
}

TEST(Dropout, OtherSeedsStepsAndLayersDrawOtherMasks) {
  const auto mask = [](std::uint64_t seed, std::int64_t number, std::uint64_t layer) {
    std::vector<double> x(4096, 1.0), y(4096);
    std::vector<std::int64_t> step{number};
    call_reference(dropout_reference<double>, Dropout(DType::kF64, 4096, 0.5, seed, layer), x, step, y);
    return y;
  };
  EXPECT_EQ(mask(1, 0, 0), mask(1, 0, 0));
  EXPECT_NE(mask(1, 0, 0), mask(2, 0, 0));
  EXPECT_NE(mask(1, 0, 0), mask(1, 1, 0));
  EXPECT_NE(mask(1, 0, 0), mask(1, 0, 1));
  EXPECT_NE(mask(1, 0, 0), mask(1, std::int64_t{1} << 32, 0));
}

TEST(Dropout, IsItsOwnAdjoint) {
  const Dropout op(DType::kF64, 301, 0.4, 3, 4);
  const auto v = normals(301, 1), w = normals(301, 2);
  std::vector<std::int64_t> step{2};
  DualVector x = duals(normals(301, 3), v), y(301);
  call_reference(dropout_reference<Dual<double>>, op, x, step, y);
  std::vector<double> dx(301);
  call_reference(dropout_reference<double>, op, w, step, dx);
  EXPECT_LT(adjoint_gap(Inner().add(derivatives(y), w), Inner().add(v, dx)), kAdjointTolerance);
}

TEST(Reduce, SumsAreHeldInDouble) {
  std::vector<float> x(70001, 1e-3f);
  x[0] = 1e9f;  // a float sum would lose every other term
  const double terms = 70000 * static_cast<double>(1e-3f);
  with_every_rung(
      Sum(DType::kF32, 70001),
      [&](std::string_view rung, const auto&, const std::vector<double>& s) {
        EXPECT_NEAR(s[0] - static_cast<double>(1e9f), terms, 1e-2) << rung;
      },
      x, std::vector<double>(1));
  with_every_rung(
      SumSquares(DType::kF32, 3),
      [](std::string_view rung, const auto&, const std::vector<double>& s) {
        EXPECT_NEAR(s[0] / 3e60, 1.0, 1e-6) << rung << ": squares must not overflow in float";
      },
      std::vector<float>(3, 1e30f), std::vector<double>(1));
}

TEST(Reduce, CountsEverythingThatIsNotFinite) {
  for (std::size_t count : {1u, 5u, 16u, 17u, 40000u}) {
    std::vector<float> x(count, std::numeric_limits<float>::max());
    std::int64_t bad = 0;
    for (std::size_t i = 0; i < count; i += 3, ++bad)
      x[i] = bad % 3 == 0 ? kNan : bad % 3 == 1 ? kInfinity : -kInfinity;
    with_every_rung(
        CountNonfinite(DType::kF32, static_cast<std::int64_t>(count)),
        [&](std::string_view rung, const auto&, const std::vector<std::int64_t>& n) {
          EXPECT_EQ(n[0], bad) << rung;
        },
        x, std::vector<std::int64_t>(1));
  }
}

TEST(Reduce, NothingSumsToZero) {
  for (DType dtype : {DType::kF32, DType::kF64}) {
    with_every_rung(
        Sum(dtype, 0),
        [](std::string_view rung, const auto&, const std::vector<double>& s) { EXPECT_EQ(s[0], 0) << rung; },
        std::vector<float>(), std::vector<double>(1, 7.0));
  }
}

}  // namespace
}  // namespace umbra
