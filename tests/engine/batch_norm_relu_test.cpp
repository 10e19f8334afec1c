// Batch normalisation with a ReLU, a residual or both: gradient by dual numbers, equality with the three
// separate ops, the ReLU's gate, accuracy where the mean is large compared with the spread, and bit-identical
// results on many threads.
#include <gtest/gtest.h>
#include <omp.h>

#include <limits>

#include "engine/ops/batch_norm/reference.h"
#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/relu.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;
using Floats = std::vector<float>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr BatchNormOptions kRelu{.relu = true}, kBoth{.relu = true, .residual = true};

struct View {
  std::int64_t outer, channels, inner;
  bool residual;
  bool relu = true;
  BatchNormOptions options() const { return {.relu = relu, .residual = residual}; }
  std::size_t count() const { return static_cast<std::size_t>(outer * channels * inner); }
  std::size_t residual_count() const { return residual ? count() : 0; }
  std::size_t width() const { return static_cast<std::size_t>(channels); }
};

std::string name_of(const View& s) {
  return concat("o", s.outer, "c", s.channels, "i", s.inner, s.residual ? "r" : "",
                s.relu ? "" : "_without_relu");
}
void PrintTo(const View& s, std::ostream* out) {
  *out << name_of(s);
}

Floats floats(std::size_t count, std::uint64_t stream) {
  const auto values = normals(count, stream);
  return {values.begin(), values.end()};
}

class BatchNormRelu : public testing::TestWithParam<View> {};

TEST_P(BatchNormRelu, GradientIsTheAdjoint) {
  const View s = GetParam();
  const auto x = normals(s.count(), 1), gamma = normals(s.width(), 2), beta = normals(s.width(), 3);
  const auto r = normals(s.residual_count(), 8), vr = normals(s.residual_count(), 9);
  const auto vx = normals(s.count(), 4), vg = normals(s.width(), 5), vb = normals(s.width(), 6);
  const auto w = normals(s.count(), 7);

  DualVector x_dual = duals(x, vx), gamma_dual = duals(gamma, vg), beta_dual = duals(beta, vb);
  DualVector r_dual = duals(r, vr), running_mean(s.width()), running_var(s.width(), 1.0), y_dual(s.count()),
             mean_dual(s.width()), invstd_dual(s.width());
  call_reference(batch_norm_forward_reference<Dual<double>>,
                 BatchNormForward(DType::kF64, s.outer, s.channels, s.inner, 1e-5, 0.1, s.options()), x_dual,
                 gamma_dual, beta_dual, running_mean, running_var, r_dual, y_dual, mean_dual, invstd_dual);
  std::vector<double> y, mean, invstd, dx(s.count()), dgamma(s.width()), dbeta(s.width()),
      dr(s.residual_count());
  for (const auto& value : y_dual) y.push_back(value.value);
  for (const auto& value : mean_dual) mean.push_back(value.value);
  for (const auto& value : invstd_dual) invstd.push_back(value.value);
  call_reference(batch_norm_backward_reference<double>,
                 BatchNormBackward(DType::kF64, s.outer, s.channels, s.inner, s.options()), w, x, y, gamma,
                 mean, invstd, dx, dgamma, dbeta, dr);
  const Inner jv = Inner().add(derivatives(y_dual), w);
  const Inner jtw = Inner().add(vx, dx).add(vg, dgamma).add(vb, dbeta).add(vr, dr);
  EXPECT_LT(adjoint_gap(jv, jtw), kAdjointTolerance);
}

/// The result of the fastest rungs of batch_norm, add and relu, one after the other.
struct Composed {
  Composed(const View& s, const Floats& x, const Floats& gamma, const Floats& beta, const Floats& r)
      : running_mean(s.width(), 0.5f),
        running_var(s.width(), 2.0f),
        y(s.count()),
        mean(s.width()),
        invstd(s.width()) {
    const BatchNormForward norm(DType::kF32, s.outer, s.channels, s.inner, 1e-5, 0.1);
    const Floats none;
    const auto run = [](const Op& op, auto&... vectors) {
      call_kernel(all_kernels().choose(op, Device::Kind::kCpu), op, vectors...);
    };
    run(norm, x, gamma, beta, running_mean, running_var, none, y, mean, invstd);
    Floats sum = y;
    if (s.residual) run(Add(DType::kF32, static_cast<std::int64_t>(s.count())), y, r, sum);
    y = sum;
    if (s.relu) run(ReluForward(DType::kF32, static_cast<std::int64_t>(s.count())), sum, y);
  }
  Floats running_mean, running_var, y, mean, invstd;
};

TEST_P(BatchNormRelu, IsTheComposition) {
  const View s = GetParam();
  const Floats x = floats(s.count(), 1), gamma = floats(s.width(), 2), beta = floats(s.width(), 3);
  const Floats r = floats(s.residual_count(), 4);
  const Composed want(s, x, gamma, beta, r);
  const auto near = [](const Floats& got, const Floats& expected, std::string_view what) {
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double scale = 1 + std::abs(static_cast<double>(expected[i]));
      EXPECT_NEAR(static_cast<double>(got[i]), static_cast<double>(expected[i]), 4e-6 * scale) << what << i;
    }
  };
  with_every_rung(
      BatchNormForward(DType::kF32, s.outer, s.channels, s.inner, 1e-5, 0.1, s.options()),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto& running_mean,
          const auto& running_var, const auto&, const auto& y, const auto& mean, const auto& invstd) {
        near(y, want.y, concat(rung, " y "));
        near(mean, want.mean, concat(rung, " mean "));
        near(invstd, want.invstd, concat(rung, " invstd "));
        near(running_mean, want.running_mean, concat(rung, " running_mean "));
        near(running_var, want.running_var, concat(rung, " running_var "));
      },
      x, gamma, beta, Floats(s.width(), 0.5f), Floats(s.width(), 2.0f), r, Floats(s.count()),
      Floats(s.width()), Floats(s.width()));
}

TEST_P(BatchNormRelu, SameBitsOnAnyNumberOfThreads) {
  const View s = GetParam();
  const BatchNormForward forward(DType::kF32, s.outer, s.channels, s.inner, 1e-5, 0.1, s.options());
  const BatchNormBackward backward(DType::kF32, s.outer, s.channels, s.inner, s.options());
  const Floats x = floats(s.count(), 1), gamma = floats(s.width(), 2), beta = floats(s.width(), 3);
  const Floats r = floats(s.residual_count(), 4), dy = floats(s.count(), 5);
  std::vector<Floats> first;
  const int before = omp_get_max_threads();
  for (int threads : {1, 2, 5, 32}) {
    omp_set_num_threads(threads);
    Floats running_mean(s.width()), running_var(s.width()), y(s.count()), mean(s.width()), invstd(s.width()),
        dx(s.count()), dgamma(s.width()), dbeta(s.width()), dr(s.residual_count());
    call_kernel(all_kernels().choose(forward, Device::Kind::kCpu), forward, x, gamma, beta, running_mean,
                running_var, r, y, mean, invstd);
    call_kernel(all_kernels().choose(backward, Device::Kind::kCpu), backward, dy, x, y, gamma, mean, invstd,
                dx, dgamma, dbeta, dr);
    const std::vector<Floats> all{running_mean, running_var, y, mean, invstd, dx, dgamma, dbeta, dr};
    if (first.empty()) first = all;
    EXPECT_EQ(all, first) << threads << " threads";
  }
  omp_set_num_threads(before);
}

INSTANTIATE_TEST_SUITE_P(Views, BatchNormRelu,
                         testing::Values(View{8, 5, 32, false}, View{8, 5, 32, true}, View{5, 37, 1, true},
                                         View{4, 3, 7, true}, View{1, 2, 5, false}, View{2, 1, 1, true},
                                         View{100, 2, 200, true}, View{40, 40, 48, false},
                                         View{33, 65, 1, false}, View{8, 5, 32, true, false},
                                         View{5, 37, 1, true, false}, View{100, 2, 200, true, false}),
                         [](const auto& view) { return name_of(view.param); });

TEST(BatchNormReluGate, IsClosedWhereTheOutputIsZero) {
  // The gate is y > 0 alone: where y is zero neither infinity nor NaN passes; where it is not, a NaN in dy
  // passes.
  const Floats y{1, 0, 2, -0.0f}, dy{3, kNan, 5, std::numeric_limits<float>::infinity()};
  with_every_rung(
      BatchNormBackward(DType::kF32, 4, 1, 1, kBoth),
      [](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
         const auto& dx, const auto& dgamma, const auto& dbeta, const auto& dr) {
        EXPECT_EQ(dr, (Floats{3, 0, 5, 0})) << rung;
        EXPECT_EQ(dbeta[0], 8) << rung;
        EXPECT_EQ(dgamma[0], 0.5f * (3 * 1 + 5 * 3)) << rung;
        EXPECT_EQ(dx[1], 2 * 0.5f * (0 - 2.0f - 0.5f * 2 * 2.25f)) << rung;
      },
      dy, Floats{1, 2, 3, 4}, y, Floats{2}, Floats{0}, Floats{0.5f}, Floats(4), Floats(1), Floats(1),
      Floats(4));
}

TEST(BatchNormReluGate, NansAreNotHidden) {
  with_every_rung(
      BatchNormInference(DType::kF32, 1, 1, 40, 0.0, kBoth),
      [](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
         const auto& y) {
        for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(std::isnan(y[i]), i == 3 || i == 38) << rung << i;
      },
      [] {
        Floats x(40, -1.0f);
        x[3] = kNan;
        return x;
      }(),
      Floats{1}, Floats{0}, Floats{0}, Floats{1},
      [] {
        Floats r(40, 0.5f);
        r[38] = kNan;
        return r;
      }(),
      Floats(40));
}

TEST(BatchNormReluInferenceOp, UsesTheRunningStatistics) {
  with_every_rung(
      BatchNormInference(DType::kF32, 1, 2, 2, 0.0, kBoth),
      [](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
         const auto& y) {
        EXPECT_EQ(y, (Floats{1, 2.5f, 0, 1})) << rung;
      },
      Floats{1, 2, 5, 4.5f}, Floats{2, -3}, Floats{1, 0}, Floats{1, 4}, Floats{4, 0.25f},
      Floats{0, 0.5f, 0, 4}, Floats(4));
}

TEST(BatchNormReluAccuracy, MeanLargeBesideTheSpread) {
  // Values 16384 + k / 512: the spread is eight steps of a float at this size.
  constexpr std::int64_t kOuter = 50, kChannels = 2, kInner = 32;
  Floats x(kOuter * kChannels * kInner);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 16384.0f + static_cast<float>(i % 9) / 512.0f;
  const Floats zeros(kChannels), ones(kChannels, 1.0f);
  with_every_rung(
      BatchNormForward(DType::kF32, kOuter, kChannels, kInner, 0.0, 0.1, kRelu),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
          const auto& y, const auto&, const auto& invstd) {
        for (std::size_t c = 0; c < kChannels; ++c) {
          const auto for_elements = [&](const auto& body) {
            for (std::size_t i = 0; i < x.size(); ++i) {
              if (i / kInner % kChannels == c) body(i, static_cast<double>(x[i]));
            }
          };
          double m = 0, var = 0;
          for_elements([&](std::size_t, double value) { m += value / (kOuter * kInner); });
          for_elements(
              [&](std::size_t, double value) { var += (value - m) * (value - m) / (kOuter * kInner); });
          EXPECT_NEAR(static_cast<double>(invstd[c]) * std::sqrt(var), 1, 1e-6) << rung;
          for_elements([&](std::size_t i, double value) {
            EXPECT_NEAR(static_cast<double>(y[i]), std::max(0.0, (value - m) / std::sqrt(var)), 1e-6) << rung;
          });
        }
      },
      x, ones, zeros, zeros, ones, Floats(), Floats(x.size()), zeros, zeros);
}

TEST(BatchNormReluAccuracy, ConstantInputGivesBeta) {
  for (float value : {0.0f, 1.0f, 12345.678f}) {
    with_every_rung(
        BatchNormForward(DType::kF32, 4, 1, 33, 1e-5, 0.1, kRelu),
        [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&,
            const auto&, const auto& y, const auto&, const auto&) {
          for (float out : y) EXPECT_NEAR(static_cast<double>(out), 0.25, 1e-6) << rung;
        },
        Floats(132, value), Floats{2}, Floats{0.25f}, Floats(1), Floats(1, 1.0f), Floats(), Floats(132),
        Floats(1), Floats(1));
  }
}

TEST(BatchNormReluForwardOp, DeclinesOneValuePerChannel) {
  for (const Ladder& ladder : all_kernels().ladders()) {
    if (ladder.op != BatchNormForward::kName) continue;
    for (const Kernel& kernel : ladder.kernels) {
      for (const BatchNormOptions& options : {BatchNormOptions(), kRelu}) {
        const bool takes = options.relu ? kernel.rung != "cpu_1_simd" : kernel.rung != "cpu_2_fused";
        EXPECT_NE(kernel.declines(BatchNormForward(kernel.dtype, 1, 3, 1, 1e-5, 0.1, options)), "");
        EXPECT_EQ(kernel.declines(BatchNormForward(kernel.dtype, 1, 3, 2, 1e-5, 0.1, options)).empty(), takes)
            << kernel.rung;
      }
    }
  }
}

}  // namespace
}  // namespace umbra
