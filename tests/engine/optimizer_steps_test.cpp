// The optimiser steps: every rung against PyTorch's formula written out operation by operation, and cases
// with a known result.
#include <gtest/gtest.h>

#include <limits>

#include "engine/ops/optim/adam_reference.h"
#include "engine/ops/optim/gradient_norm_reference.h"
#include "engine/ops/optim/sgd_reference.h"
#include "tests/fixtures/op_calls.h"

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

std::vector<double> scalars_of(std::size_t step, double decay = 0) {
  const AdamRule rule{kBeta1, kBeta2, kEpsilon, decay, true};
  const auto numbers = adam_step_scalars(rule, kLr, static_cast<std::int64_t>(step));
  return {numbers.begin(), numbers.end()};
}

std::vector<Bf16> no_copy;

TEST(AdamStep, FollowsTheAlgorithm) {
  const std::vector<double> gradients{0.3, -1.2, 1e-4, 5, -0.7};
  for (double decay : {0.0, 0.1}) {
    for (bool decoupled : {false, true}) {
      const AdamStep op(DType::kF64, 1, kBeta1, kBeta2, kEpsilon, decay, decoupled);
      std::vector<double> p{0.8}, m{0}, v{0};
      for (std::size_t step = 1; step <= gradients.size(); ++step) {
        std::vector<double> g{gradients[step - 1]}, scalars = scalars_of(step, decay);
        call_reference(adam_step_reference<double>, op, p, g, m, v, no_copy, scalars);
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
      [&](std::string_view rung, const auto& new_p, const auto&, const auto& m, const auto& v, const auto&,
          const auto&) {
        EXPECT_EQ(new_p, p) << rung << ": dead taps of a convolution must stay where they are, bit by bit";
        EXPECT_EQ(m, zeros) << rung;
        EXPECT_EQ(v, zeros) << rung;
      },
      p, zeros, zeros, zeros, no_copy, scalars_of(1));
}

TEST(AdamStep, FirstStepHasTheLengthOfTheLearningRate) {
  const std::vector<float> g{1e-6f, -1e-3f, 1, -1e6f, 1e12f};
  with_every_rung(
      AdamStep(DType::kF32, 5, kBeta1, kBeta2, 0.0, 0, false),
      [&](std::string_view rung, const auto& p, const auto&, const auto&, const auto&, const auto&,
          const auto&) {
        for (std::size_t i = 0; i < g.size(); ++i) {
          EXPECT_NEAR(static_cast<double>(p[i]), g[i] > 0 ? -kLr : kLr, 1e-8) << rung << " " << i;
        }
      },
      std::vector<float>(5), g, std::vector<float>(5), std::vector<float>(5), no_copy, scalars_of(1));
}

TEST(AdamStep, DecoupledDecayShrinksWithoutAGradient) {
  with_every_rung(
      AdamStep(DType::kF32, 20, kBeta1, kBeta2, kEpsilon, 0.5, true),
      [](std::string_view rung, const auto& p, const auto&, const auto& m, const auto&, const auto&,
         const auto&) {
        for (float value : p) EXPECT_FLOAT_EQ(value, 2 * (1 - 0.5f * 1e-2f)) << rung;
        for (float value : m) EXPECT_EQ(value, 0) << rung << ": decoupled decay is not a gradient";
      },
      std::vector<float>(20, 2.0f), std::vector<float>(20), std::vector<float>(20), std::vector<float>(20),
      no_copy, scalars_of(3, 0.5));
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
          [&](std::string_view, const auto& p1, const auto&, const auto& m1, const auto& v1, const auto&,
              const auto&) {
            want.insert(want.end(), {p1, m1, v1});
          },
          p, std::vector<float>(kCount), m, v, no_copy, scalars_of(3, decay));
      std::size_t at = 0;
      with_every_rung(
          AdamStep(DType::kF32, kCount, kBeta1, kBeta2, kEpsilon, decay, decoupled, true),
          [&](std::string_view rung, const auto& p1, const auto&, const auto& m1, const auto& v1, const auto&,
              const auto&) {
            EXPECT_NE(p1, p) << rung << ": the moments still move it";
            for (const auto& got : {p1, m1, v1}) EXPECT_EQ(got, want.at(at++)) << rung << " decay " << decay;
          },
          p, std::vector<float>(), m, v, no_copy, scalars_of(3, decay));
      EXPECT_EQ(at, want.size());
    }
  }
}

TEST(AdamStep, NanGradientIsNotHidden) {
  std::vector<float> g(17, 1.0f);
  g[16] = std::numeric_limits<float>::quiet_NaN();
  with_every_rung(
      AdamStep(DType::kF32, 17, kBeta1, kBeta2, kEpsilon, 0, false),
      [](std::string_view rung, const auto& p, const auto&, const auto&, const auto&, const auto&,
         const auto&) {
        EXPECT_TRUE(std::isnan(p[16])) << rung;
        EXPECT_FALSE(std::isnan(p[15])) << rung;
      },
      std::vector<float>(17), g, std::vector<float>(17), std::vector<float>(17), no_copy, scalars_of(1));
}

// Several tensors in one call give the same bits as one call for each.
TEST(AdamStep, TensorsAreIndependent) {
  const AdamRule rule{kBeta1, kBeta2, kEpsilon, 0.1, false};
  const auto p0 = small(20001, 1), g0 = small(20001, 2), m0 = small(20001, 3), p1 = small(7, 4),
             m1 = small(7, 5);
  const std::vector<float> v0(20001, 0.5f), v1(7, 0.25f), none;
  std::vector<std::vector<float>> alone;
  const auto keep = [&](std::string_view, const auto& p, const auto&, const auto& m, const auto& v,
                        const auto&, const auto&) {
    alone.insert(alone.end(), {p, m, v});
  };
  with_every_rung(AdamStep(DType::kF32, {{20001}}, rule), keep, p0, g0, m0, v0, no_copy, scalars_of(2));
  const std::size_t rungs = alone.size() / 3;
  with_every_rung(AdamStep(DType::kF32, {{7, true}}, rule), keep, p1, none, m1, v1, no_copy, scalars_of(2));
  std::size_t rung = 0;
  with_every_rung(
      AdamStep(DType::kF32, {{7, true}, {0}, {20001}}, rule),
      [&](std::string_view name, const auto& q1, const auto&, const auto& n1, const auto& w1, const auto&,
          const auto&, const auto&, const auto&, const auto&, const auto&, const auto& q0, const auto&,
          const auto& n0, const auto& w0, const auto&, const auto&) {
        const std::size_t big = 3 * rung, little = 3 * (rungs + rung);
        EXPECT_TRUE(q0 == alone[big] && n0 == alone[big + 1] && w0 == alone[big + 2]) << name;
        EXPECT_TRUE(q1 == alone[little] && n1 == alone[little + 1] && w1 == alone[little + 2]) << name;
        ++rung;
      },
      p1, none, m1, v1, no_copy, none, none, none, none, no_copy, p0, g0, m0, v0, no_copy, scalars_of(2));
  EXPECT_EQ(rung, rungs);
}

// With every rung, the bf16 copy is the rounding of the new parameters.
TEST(AdamStep, TheBf16CopyIsTheRoundedParameter) {
  constexpr std::int64_t kCount = 20001;
  const AdamRule rule{kBeta1, kBeta2, kEpsilon, 0.1, true};
  const auto p = small(kCount, 1), g = small(kCount, 2), m = small(kCount, 3),
             v = std::vector<float>(kCount, 1);
  std::size_t moved = 0;
  with_every_rung(
      AdamStep(DType::kF32, {{kCount, false, true}}, rule),
      [&](std::string_view rung, const auto& q, const auto&, const auto&, const auto&,
          const std::vector<Bf16>& copy, const auto&) {
        for (std::size_t i = 0; i < q.size(); ++i) {
          ASSERT_EQ(static_cast<float>(copy[i]), round_to_bf16(q[i])) << rung << " " << i;
          moved += copy[i].bits != Bf16(p[i]).bits ? 1 : 0;
        }
      },
      p, g, m, v, std::vector<Bf16>(kCount), scalars_of(1, rule.weight_decay));
  EXPECT_GT(moved, 0u);
}

TEST(GradientNorm, FactorOnlyShortens) {
  struct Case {
    double scale, max_norm, factor;
  };
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (const Case& c : {Case{1, 10, 1}, Case{1, 2.5, 0.5}, Case{1, 0, 1}, Case{1, -1, 1}, Case{0, 1, 1},
                        Case{inf, 1, 1}, Case{nan, 1, 1}, Case{1e30, 1, 0.2e-30}}) {
    const auto size = static_cast<float>(c.scale);
    with_every_rung(
        GradientNorm(DType::kF32, {{1}, {0}, {2}}, c.max_norm),
        [&](std::string_view rung, const auto&, const auto&, const auto&, const std::vector<double>& norm,
            const std::vector<float>& f) {
          const bool finite = std::isfinite(c.scale);
          EXPECT_EQ(std::isfinite(norm[0]), finite) << rung;
          EXPECT_TRUE(!finite || std::abs(norm[0] - 5 * static_cast<double>(size)) <= 1e-7 * norm[0]) << rung;
          EXPECT_NEAR(static_cast<double>(f[0]) / c.factor, 1, 1e-6)
              << rung << " " << c.scale << " " << c.max_norm;
        },
        std::vector<float>{3 * size}, std::vector<float>(), std::vector<float>{0, -4 * size},
        std::vector<double>(1), std::vector<float>(1));
  }
}

TEST(Clip, OneTouchesNothing) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  with_every_rung(
      Clip(DType::kF32, {{2}, {3}}),
      [&](std::string_view rung, const auto& a, const auto& b, const auto&) {
        EXPECT_TRUE(std::isnan(a[0])) << rung;
        EXPECT_EQ(b, (std::vector<float>{1, -2, 3})) << rung;
      },
      std::vector<float>{nan, 1}, std::vector<float>{1, -2, 3}, std::vector<float>{1});
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
      call_reference(sgd_step_reference<double>, op, p_buffer, g, v_buffer, no_copy, lr);
      v = momentum * v + gradient + decay * p;
      p -= kLr * v;
    }
    EXPECT_NEAR(p_buffer[0], p, 1e-15) << momentum << " " << decay;
  }
}

// torch.optim.SGD, operation by operation: buf = clone(g) in the first step, else buf.mul_(momentum).add_(g,
// alpha = 1 - dampening); with Nesterov's momentum g.add(buf, alpha = momentum), else buf.
TEST(SgdStep, FollowsPyTorchWithDampeningAndNesterov) {
  constexpr double kMomentum = 0.9, kDecay = 0.1;
  for (const double dampening : {0.0, 0.3, 1.0}) {
    const bool nesterov = dampening == 0;
    TensorList tensors{{1}, {1}};
    tensors[1].share_at = 2;  // the second tensor has had its first step before
    const SgdStep op(DType::kF64, tensors, {kMomentum, kDecay, dampening != 0, nesterov});
    double p = 0.8, buf = 0;
    std::vector<double> p0{p}, p1{p}, v0{0}, v1{0};
    int step = 0;
    for (double gradient : {0.3, -1.2, 5.0}) {
      const double share = step == 0 ? 1 : 1 - dampening;
      std::vector<double> g{gradient}, scalars{kLr, share, 1 - dampening};
      scalars.resize(static_cast<std::size_t>(op.scalars()));
      call_reference(sgd_step_reference<double>, op, p0, g, v0, no_copy, p1, g, v1, no_copy, scalars);
      gradient += kDecay * p;
      buf = step == 0 ? gradient : kMomentum * buf + (1 - dampening) * gradient;
      p -= kLr * (nesterov ? gradient + kMomentum * buf : buf);
      ++step;
    }
    EXPECT_NEAR(p0[0], p, 1e-15) << dampening;
    EXPECT_NEAR(v0[0], buf, 1e-15) << dampening;
    EXPECT_EQ(p1[0] == p0[0], dampening == 0);
    EXPECT_EQ(op.scalars(), dampening == 0 ? 1 : 3);
  }
}

TEST(SgdStep, SaysWhatItDoesBesidesTheUsual) {
  EXPECT_EQ(SgdStep(DType::kF32, {{3}}, 0.9, 0.1).text(), "n3 momentum0.9 decay0.1");
  EXPECT_EQ(SgdStep(DType::kF32, {{3}}, {0.9, 0.1, true}).text(), "n3 momentum0.9 decay0.1 dampened");
  EXPECT_EQ(SgdStep(DType::kF32, {{3}}, {0.9, 0.1, false, true}).text(), "n3 momentum0.9 decay0.1 nesterov");
}

// A factor of 1 gives the same bits as no dampening.
TEST(SgdStep, AShareOfOneIsNoDampening) {
  constexpr std::int64_t kCount = 70;
  const auto p = small(kCount, 1), g = small(kCount, 2), v = small(kCount, 3);
  std::vector<std::vector<float>> plain;
  for (const bool dampened : {false, true}) {
    std::size_t at = 0;
    with_every_rung(
        SgdStep(DType::kF32, {{kCount}}, {0.9, 0.1, dampened}),
        [&](std::string_view rung, const auto& p1, const auto&, const auto& v1, const auto&, const auto&) {
          for (const auto& got : {p1, v1}) {
            if (!dampened) plain.push_back(got);
            EXPECT_EQ(got, plain.at(at++)) << rung;
          }
        },
        p, g, v, no_copy, dampened ? std::vector<double>{kLr, 1} : std::vector<double>{kLr});
  }
}

TEST(SgdStep, WithoutMomentumNeedsNoVelocity) {
  with_every_rung(
      SgdStep(DType::kF32, 33, 0, 0),
      [](std::string_view rung, const auto& p, const auto&, const auto&, const auto&, const auto&) {
        for (float value : p) EXPECT_FLOAT_EQ(value, 1 - 2 * 1e-2f) << rung;
      },
      std::vector<float>(33, 1.0f), std::vector<float>(33, 2.0f), std::vector<float>(), no_copy,
      std::vector<double>{kLr});
}

// A step of length zero without a gradient changes no parameter and writes the bf16 copy of its present
// value.
TEST(SgdStep, TheBf16CopyIsTheRoundedParameter) {
  constexpr std::int64_t kCount = 20001;
  const auto p = small(kCount, 1);
  for (const double lr : {0.0, 0.1}) {
    with_every_rung(
        SgdStep(DType::kF32, {{kCount, lr == 0, true}}, 0, 0),
        [&](std::string_view rung, const auto& q, const auto&, const auto&, const std::vector<Bf16>& copy,
            const auto&) {
          EXPECT_EQ(q == p, lr == 0) << rung;
          for (std::size_t i = 0; i < q.size(); ++i)
            ASSERT_EQ(static_cast<float>(copy[i]), round_to_bf16(q[i])) << rung << " " << i;
        },
        p, lr == 0 ? std::vector<float>() : small(kCount, 2), std::vector<float>(), std::vector<Bf16>(kCount),
        std::vector<double>{lr});
  }
}

}  // namespace
}  // namespace umbra
