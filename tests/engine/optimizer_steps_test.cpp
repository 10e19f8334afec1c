// The optimiser steps: every rung against PyTorch's formula written out, operation by operation, and the
// limits it must respect.
#include <gtest/gtest.h>

#include "engine/ops/adam/reference.h"
#include "engine/ops/sgd/reference.h"
#include "tests/engine/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;

constexpr double kLr = 1e-2, kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;

std::vector<float> small(std::size_t count, std::uint64_t stream) {
  const auto values = normals(count, stream);
  return {values.begin(), values.end()};
}

/// Five steps of Adam on one parameter in plain double, as in the paper's algorithm 1.
double adam_by_hand(double p, const std::vector<double>& gradients, double decay, bool decoupled) {
  double m = 0, v = 0;
  for (std::size_t step = 1; step <= gradients.size(); ++step) {
    double g = gradients[step - 1];
    if (decoupled) p -= kLr * decay * p;
    if (!decoupled) g += decay * p;
    m = kBeta1 * m + (1 - kBeta1) * g;
    v = kBeta2 * v + (1 - kBeta2) * g * g;
    const double m_hat = m / (1 - std::pow(kBeta1, static_cast<double>(step)));
    const double v_hat = v / (1 - std::pow(kBeta2, static_cast<double>(step)));
    p -= kLr * m_hat / (std::sqrt(v_hat) + kEpsilon);
  }
  return p;
}

std::vector<double> scalars_of(std::size_t step) {
  const auto t = static_cast<double>(step);
  return {kLr, 1 - std::pow(kBeta1, t), 1 - std::pow(kBeta2, t)};
}

TEST(AdamStep, FollowsTheAlgorithm) {
  const std::vector<double> gradients{0.3, -1.2, 1e-4, 5, -0.7};
  for (double decay : {0.0, 0.1}) {
    for (bool decoupled : {false, true}) {
      const AdamStep op(DType::kF64, 1, kBeta1, kBeta2, kEpsilon, decay, decoupled);
      std::vector<double> p{0.8}, m{0}, v{0};
      for (std::size_t step = 1; step <= gradients.size(); ++step) {
        std::vector<double> g{gradients[step - 1]}, scalars = scalars_of(step);
        call_reference(adam_step_reference<double>, op, p, g, m, v, scalars);
      }
      EXPECT_NEAR(p[0], adam_by_hand(0.8, gradients, decay, decoupled), 1e-14) << decay << decoupled;
    }
  }
}

TEST(AdamStep, ZeroGradientFromTheStartMovesNothing) {
  const std::size_t count = 37;
  const std::vector<float> p = small(count, 1), zeros(count);
  with_every_rung(
      AdamStep(DType::kF32, count, kBeta1, kBeta2, kEpsilon, 0, false),
      [&](std::string_view rung, const auto& new_p, const auto&, const auto& m, const auto& v, const auto&) {
        EXPECT_EQ(new_p, p) << rung << ": dead taps of a convolution must stay where they are, bit by bit";
        EXPECT_EQ(m, zeros) << rung;
        EXPECT_EQ(v, zeros) << rung;
      },
      p, zeros, zeros, zeros, scalars_of(1));
}

TEST(AdamStep, FirstStepHasTheLengthOfTheLearningRate) {
  const std::vector<float> g{1e-6f, -1e-3f, 1, -1e6f, 1e12f};
  with_every_rung(
      AdamStep(DType::kF32, 5, kBeta1, kBeta2, 0.0, 0, false),
      [&](std::string_view rung, const auto& p, const auto&, const auto&, const auto&, const auto&) {
        for (std::size_t i = 0; i < g.size(); ++i) {
          EXPECT_NEAR(static_cast<double>(p[i]), g[i] > 0 ? -kLr : kLr, 1e-8) << rung << " " << i;
        }
      },
      std::vector<float>(5), g, std::vector<float>(5), std::vector<float>(5), scalars_of(1));
}

TEST(AdamStep, DecoupledDecayShrinksWithoutAGradient) {
  with_every_rung(
      AdamStep(DType::kF32, 20, kBeta1, kBeta2, kEpsilon, 0.5, true),
      [](std::string_view rung, const auto& p, const auto&, const auto& m, const auto&, const auto&) {
        for (float value : p) EXPECT_FLOAT_EQ(value, 2 * (1 - 0.5f * 1e-2f)) << rung;
        for (float value : m) EXPECT_EQ(value, 0) << rung << ": decoupled decay is not a gradient";
      },
      std::vector<float>(20, 2.0f), std::vector<float>(20), std::vector<float>(20), std::vector<float>(20),
      scalars_of(3));
}

TEST(AdamStep, AnAbsentGradientIsAZeroGradient) {
  constexpr std::int64_t kCount = 70;
  const auto p = small(kCount, 1), m = small(kCount, 2);
  auto v = small(kCount, 3);
  for (float& value : v) value *= value;
  for (double decay : {0.0, 0.1}) {
    for (bool decoupled : {false, true}) {
      std::vector<std::vector<float>> want;  // per rung: p, m, v
      with_every_rung(
          AdamStep(DType::kF32, kCount, kBeta1, kBeta2, kEpsilon, decay, decoupled),
          [&](std::string_view, const auto& p1, const auto&, const auto& m1, const auto& v1, const auto&) {
            want.insert(want.end(), {p1, m1, v1});
          },
          p, std::vector<float>(kCount), m, v, scalars_of(3));
      std::size_t at = 0;
      with_every_rung(
          AdamStep(DType::kF32, kCount, kBeta1, kBeta2, kEpsilon, decay, decoupled, true),
          [&](std::string_view rung, const auto& p1, const auto&, const auto& m1, const auto& v1,
              const auto&) {
            EXPECT_NE(p1, p) << rung << ": the moments still move it";
            for (const auto& got : {p1, m1, v1}) EXPECT_EQ(got, want.at(at++)) << rung << " decay " << decay;
          },
          p, std::vector<float>(), m, v, scalars_of(3));
      EXPECT_EQ(at, want.size());
    }
  }
}

TEST(AdamStep, NanGradientIsNotHidden) {
  std::vector<float> g(17, 1.0f);
  g[16] = std::numeric_limits<float>::quiet_NaN();
  with_every_rung(
      AdamStep(DType::kF32, 17, kBeta1, kBeta2, kEpsilon, 0, false),
      [](std::string_view rung, const auto& p, const auto&, const auto&, const auto&, const auto&) {
        EXPECT_TRUE(std::isnan(p[16])) << rung;
        EXPECT_FALSE(std::isnan(p[15])) << rung;
      },
      std::vector<float>(17), g, std::vector<float>(17), std::vector<float>(17), scalars_of(1));
}

TEST(SgdStep, FollowsTheFormula) {
  struct Case {
    double momentum, decay;
  };
  for (const auto& [momentum, decay] : {Case{0, 0}, Case{0, 0.1}, Case{0.9, 0}, Case{0.9, 0.1}}) {
    const SgdStep op(DType::kF64, 1, momentum, decay);
    double p = 0.8, v = 0;
    std::vector<double> p_buffer{p}, v_buffer(momentum != 0 ? 1 : 0), lr{kLr};
    for (double gradient : {0.3, -1.2, 5.0}) {
      std::vector<double> g{gradient};
      call_reference(sgd_step_reference<double>, op, p_buffer, g, v_buffer, lr);
      v = momentum * v + gradient + decay * p;
      p -= kLr * v;
    }
    EXPECT_NEAR(p_buffer[0], p, 1e-15) << momentum << " " << decay;
  }
}

TEST(SgdStep, WithoutMomentumNeedsNoVelocity) {
  with_every_rung(
      SgdStep(DType::kF32, 33, 0, 0),
      [](std::string_view rung, const auto& p, const auto&, const auto&, const auto&) {
        for (float value : p) EXPECT_FLOAT_EQ(value, 1 - 2 * 1e-2f) << rung;
      },
      std::vector<float>(33, 1.0f), std::vector<float>(33, 2.0f), std::vector<float>(),
      std::vector<double>{kLr});
}

}  // namespace
}  // namespace umbra
