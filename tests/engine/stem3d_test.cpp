// The stem where its algebra is easy to get wrong: it must equal the composition of its parts in double, its
// gradient must be the adjoint, and ties and signs must be resolved as in the composition.
#include <gtest/gtest.h>

#include <limits>

#include "engine/base/error.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/stem/reference.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;

constexpr StemGeometry kSmall{4,         1,         6,         {9, 8, 7}, {3, 3, 3},
                              {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}};

/// The geometries of the problems of the stem's ladders.
const std::vector<StemGeometry>& geometries() {
  static const std::vector<StemGeometry> list = [] {
    std::vector<StemGeometry> found;
    for (const Ladder& ladder : all_kernels().ladders()) {
      if (ladder.op != Stem3dForward::kName) continue;
      for (const auto& problem : ladder.problems(DType::kF64))
        found.push_back(dynamic_cast<const StemOp&>(*problem).geometry);
    }
    return found;
  }();
  return list;
}

std::size_t length(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// All buffers of a training step of scalar T, forward and backward.
template <class T>
struct Step {
  explicit Step(const StemGeometry& geometry)
      : g(geometry),
        x(length(g.batch * g.in_channels * g.in_volume())),
        w(length(g.patch() * g.channels)),
        gamma(length(g.channels)),
        beta(gamma),
        running_mean(gamma),
        running_var(length(g.channels), T(1)),
        y(length(g.pooled())),
        mean(gamma),
        invstd(gamma),
        dy(y),
        dw(w),
        dgamma(gamma),
        dbeta(gamma),
        winner(length(g.winner_words())),
        mu(length(g.patch())),
        cov(length(g.patch() * g.patch())) {}

  void forward(const Kernel& kernel) {
    call_kernel(kernel, Stem3dForward(kernel.dtype, g, 1e-5, 0.1), x, w, gamma, beta, running_mean,
                running_var, y, winner, mean, invstd, mu, cov);
  }
  void backward(const Kernel& kernel) {
    call_kernel(kernel, Stem3dBackward(kernel.dtype, g), dy, x, w, gamma, mean, invstd, winner, mu, cov, dw,
                dgamma, dbeta);
  }
  void inference(const Kernel& kernel) {
    call_kernel(kernel, Stem3dInference(kernel.dtype, g, 1e-5), x, w, gamma, beta, running_mean, running_var,
                y);
  }
  std::uint8_t winner_of(std::size_t element) const {
    return reinterpret_cast<const std::uint8_t*>(winner.data())[element];
  }

  StemGeometry g;
  std::vector<T> x, w, gamma, beta, running_mean, running_var, y, mean, invstd, dy, dw, dgamma, dbeta;
  std::vector<std::int32_t> winner;
  std::vector<Accumulator<T>> mu, cov;
};

template <class T>
std::vector<T> converted(const std::vector<double>& values) {
  return std::vector<T>(values.begin(), values.end());
}

/// A step on normal numbers; gamma has both signs.
template <class T>
Step<T> normal_step(const StemGeometry& g) {
  Step<T> step(g);
  step.x = converted<T>(normals(step.x.size(), 1));
  step.w = converted<T>(normals(step.w.size(), 2));
  step.gamma = converted<T>(normals(step.gamma.size(), 3));
  step.beta = converted<T>(normals(step.beta.size(), 4));
  step.dy = converted<T>(normals(step.dy.size(), 5));
  return step;
}

const Kernel& kernel_of(std::string_view op, std::string_view rung, DType dtype) {
  for (const Ladder& ladder : all_kernels().ladders()) {
    for (const Kernel& kernel : ladder.kernels) {
      if (kernel.op == op && kernel.rung == rung && kernel.dtype == dtype) return kernel;
    }
  }
  fail("no such kernel");
}

std::vector<const Kernel*> rungs_of(std::string_view op, DType dtype) {
  std::vector<const Kernel*> rungs;
  for (const Ladder& ladder : all_kernels().ladders()) {
    for (const Kernel& kernel : ladder.kernels) {
      if (kernel.op == op && kernel.dtype == dtype && kernel.device == Device::Kind::kCpu)
        rungs.push_back(&kernel);
    }
  }
  return rungs;
}

/// The largest difference relative to the largest number.
template <class T>
double distance(const std::vector<T>& a, const std::vector<T>& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    size = std::max(size, std::abs(static_cast<double>(b[i])));
  }
  return size == 0 ? difference : difference / size;
}

TEST(Stem3d, AlgebraEqualsTheCompositionInDouble) {
  for (const StemGeometry& g : geometries()) {
    if (g.batch * g.channels * g.conv_volume() > 100000) continue;
    Step<double> composed = normal_step<double>(g), algebra = composed;
    composed.forward(kernel_of("stem3d_forward", "reference", DType::kF64));
    algebra.forward(kernel_of("stem3d_forward", "reference_gram", DType::kF64));
    EXPECT_LT(distance(algebra.y, composed.y), 1e-12) << g.text();
    EXPECT_LT(distance(algebra.mean, composed.mean), 1e-12) << g.text();
    EXPECT_LT(distance(algebra.invstd, composed.invstd), 1e-12) << g.text();
    EXPECT_LT(distance(algebra.running_var, composed.running_var), 1e-12) << g.text();
    EXPECT_EQ(algebra.winner, composed.winner) << g.text();
    composed.backward(kernel_of("stem3d_backward", "reference", DType::kF64));
    algebra.backward(kernel_of("stem3d_backward", "reference_gram", DType::kF64));
    EXPECT_LT(distance(algebra.dw, composed.dw), 1e-12) << g.text();
    EXPECT_LT(distance(algebra.dgamma, composed.dgamma), 1e-12) << g.text();
    EXPECT_LT(distance(algebra.dbeta, composed.dbeta), 1e-12) << g.text();
  }
}

TEST(Stem3d, StatisticsAreThoseOfTheComposition) {  // to a rounding, also where the mean is large
  for (const StemGeometry& g : geometries()) {
    for (double offset : {0.0, 300.0}) {
      Step<float> fast = normal_step<float>(g);
      for (float& value : fast.x) value += static_cast<float>(offset);
      Step<double> exact(g);
      exact.x.assign(fast.x.begin(), fast.x.end());
      exact.w.assign(fast.w.begin(), fast.w.end());
      exact.gamma.assign(fast.gamma.begin(), fast.gamma.end());
      exact.beta.assign(fast.beta.begin(), fast.beta.end());
      const Kernel& kernel = kernel_of("stem3d_forward", "cpu_1_lanes", DType::kF32);
      if (!kernel.declines(Stem3dForward(DType::kF32, g, 1e-5, 0.1)).empty()) continue;
      fast.forward(kernel);
      exact.forward(kernel_of("stem3d_forward", "reference", DType::kF64));
      for (std::size_t c = 0; c < fast.mean.size(); ++c) {
        EXPECT_NEAR(static_cast<double>(fast.mean[c]), exact.mean[c],
                    0x1p-23 * std::abs(exact.mean[c]) + 1e-30)
            << g.text() << " " << c;
        EXPECT_NEAR(static_cast<double>(fast.invstd[c]) / exact.invstd[c], 1, 0x1p-22)
            << g.text() << " " << c;
        EXPECT_NEAR(static_cast<double>(fast.running_var[c]) / exact.running_var[c], 1, 0x1p-22)
            << g.text() << " " << c;
      }
    }
  }
}

TEST(Stem3d, GradientIsTheAdjoint) {
  int compared = 0;
  for (const StemGeometry& g : geometries()) {
    if (g.batch * g.channels * g.conv_volume() > 30000) continue;
    Step<double> step = normal_step<double>(g);
    const auto vw = normals(step.w.size(), 6), vgamma = normals(step.gamma.size(), 7);
    const auto vbeta = normals(step.beta.size(), 8);
    Step<Dual<double>> dual(g);
    dual.x = duals(step.x, std::vector<double>(step.x.size()));
    dual.w = duals(step.w, vw);
    dual.gamma = duals(step.gamma, vgamma);
    dual.beta = duals(step.beta, vbeta);
    const Stem3dForward op(DType::kF64, g, 1e-5, 0.1);
    DualVector z(length(g.batch * g.channels * g.conv_volume()));
    void* pointers[] = {dual.x.data(),
                        dual.w.data(),
                        dual.gamma.data(),
                        dual.beta.data(),
                        dual.running_mean.data(),
                        dual.running_var.data(),
                        dual.y.data(),
                        dual.winner.data(),
                        dual.mean.data(),
                        dual.invstd.data(),
                        dual.mu.data(),
                        dual.cov.data()};
    Stream stream{Device{}};
    stem3d_forward_reference<Dual<double>>(op, Buffers(pointers), z.data(), stream);
    for (const Kernel* forward : rungs_of("stem3d_forward", DType::kF64)) {
      for (const Kernel* backward : rungs_of("stem3d_backward", DType::kF64)) {
        step.forward(*forward);
        step.backward(*backward);
        const Inner forwards = Inner().add(derivatives(dual.y), step.dy);
        const Inner backwards = Inner().add(vw, step.dw).add(vgamma, step.dgamma).add(vbeta, step.dbeta);
        if (forwards.size + backwards.size == 0) continue;  // relu passes nothing
        ++compared;
        EXPECT_LT(adjoint_gap(forwards, backwards), kAdjointTolerance) << backward->rung << " " << g.text();
      }
    }
  }
  EXPECT_GT(compared, 30);
}

TEST(Stem3d, TiesAreDecidedAsInTheComposition) {  // small integers: every sum is exact, and ties are frequent
  for (const StemGeometry& g : geometries()) {
    if (g.batch * g.channels * g.conv_volume() > 300000) continue;
    Step<float> step(g);
    const Rng rng(2018, Purpose::kTest, 9);
    for (std::size_t i = 0; i < step.x.size(); ++i) step.x[i] = static_cast<float>(rng.words(i)[0] % 3);
    for (std::size_t i = 0; i < step.w.size(); ++i) step.w[i] = static_cast<float>(rng.words(i)[1] % 3) - 1;
    for (std::size_t c = 0; c < step.gamma.size(); ++c) {
      step.gamma[c] =
          static_cast<float>(c % 3) - 1;  // with all of z equal after the affine map where it is 0
      step.beta[c] = c % 2 == 0 ? 1.0f : 0.25f;
      step.running_mean[c] = 0.5f;
    }
    Step<float> reference = step;
    reference.forward(kernel_of("stem3d_forward", "reference", DType::kF32));
    for (const Kernel* kernel : rungs_of("stem3d_forward", DType::kF32)) {
      if (!kernel->declines(Stem3dForward(DType::kF32, g, 1e-5, 0.1)).empty()) continue;
      Step<float> other = step;
      other.forward(*kernel);
      EXPECT_EQ(other.winner, reference.winner) << kernel->rung << " " << g.text();
    }
  }
}

TEST(Stem3d, NegativeWindowsAndZeroGammaGiveNoGradientOfTheFilter) {
  for (const Kernel* forward : rungs_of("stem3d_forward", DType::kF32)) {
    for (const Kernel* backward : rungs_of("stem3d_backward", DType::kF32)) {
      Step<float> step = normal_step<float>(kSmall);
      step.beta.assign(step.beta.size(), -100.0f);  // relu passes nothing
      step.forward(*forward);
      step.backward(*backward);
      for (std::size_t e = 0; e < step.y.size(); ++e) {
        EXPECT_EQ(step.y[e], 0.0f);
        EXPECT_EQ(step.winner_of(e), kNoWinner);
      }
      for (float gradient : step.dw) EXPECT_EQ(gradient, 0.0f);
      for (float gradient : step.dbeta) EXPECT_EQ(gradient, 0.0f);
      step.gamma.assign(step.gamma.size(), 0.0f);
      step.beta.assign(step.beta.size(), 2.0f);
      step.forward(*forward);
      step.backward(*backward);
      for (float value : step.y) EXPECT_EQ(value, 2.0f);
      for (float gradient : step.dw) EXPECT_EQ(gradient, 0.0f);
    }
  }
}

TEST(Stem3d, NanAndInfinityAreNotLost) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Step<float> step = normal_step<float>(kSmall);
    step.x[length(kSmall.in_volume() + 200)] = bad;  // the second sample
    for (const Kernel* kernel : rungs_of("stem3d_forward", DType::kF32)) {
      step.forward(*kernel);
      for (float value : step.y) EXPECT_TRUE(std::isnan(value)) << kernel->rung;
      EXPECT_TRUE(std::isnan(step.invstd[0])) << kernel->rung;
    }
    if (!std::isnan(bad)) continue;
    Step<float> reference = normal_step<float>(kSmall);
    reference.x = step.x;
    reference.inference(kernel_of("stem3d_inference", "reference", DType::kF32));
    for (const Kernel* kernel : rungs_of("stem3d_inference", DType::kF32)) {
      Step<float> other = normal_step<float>(kSmall);
      other.x = step.x;
      other.inference(*kernel);
      std::size_t nans = 0;
      for (std::size_t e = 0; e < other.y.size(); ++e) {
        EXPECT_EQ(std::isnan(other.y[e]), std::isnan(reference.y[e])) << kernel->rung << " " << e;
        nans += std::isnan(other.y[e]) ? 1 : 0;
      }
      EXPECT_GT(nans, 0U);
      EXPECT_LT(nans, other.y.size() / 4);
    }
  }
}

TEST(Stem3d, InferenceWithTheStatisticsOfTheBatchIsTraining) {
  for (const StemGeometry& g : geometries()) {
    if (g.batch * g.channels * g.conv_volume() > 100000) continue;
    Step<float> step = normal_step<float>(g);
    const Kernel& forward =
        all_kernels().choose(Stem3dForward(DType::kF32, g, 1e-5, 0.1), Device::Kind::kCpu);
    const Kernel& inference = all_kernels().choose(Stem3dInference(DType::kF32, g, 1e-5), Device::Kind::kCpu);
    step.forward(forward);
    Step<float> other = step;
    other.running_mean = step.mean;
    for (std::size_t c = 0; c < step.mean.size(); ++c)
      other.running_var[c] = 1 / (step.invstd[c] * step.invstd[c]) - 1e-5f;
    other.inference(inference);
    EXPECT_LT(distance(other.y, step.y), 1e-5) << g.text();
  }
}

TEST(Stem3d, GeometryIsCheckedInWords) {
  EXPECT_NO_THROW(kSmall.check());
  for (const StemGeometry& g : geometries()) EXPECT_NO_THROW(g.check()) << g.text();
  const auto broken = [&](auto change) {
    StemGeometry g = kSmall;
    change(g);
    EXPECT_THROW(g.check(), Error) << g.text();
  };
  broken([](StemGeometry& g) { g.batch = 0; });
  broken([](StemGeometry& g) { g.in_channels = -1; });
  broken([](StemGeometry& g) { g.channels = 0; });
  broken([](StemGeometry& g) { g.in[0] = 0; });
  broken([](StemGeometry& g) { g.stride[2] = 0; });
  broken([](StemGeometry& g) { g.padding[1] = -1; });
  broken([](StemGeometry& g) { g.kernel[0] = 17; });
  broken([](StemGeometry& g) { g.kernel[0] = 16; });       // larger than the padded extent
  broken([](StemGeometry& g) { g.pool_padding[0] = 2; });  // more than half the window
  broken([](StemGeometry& g) { g.pool = {99, 99, 99}; });
  broken([](StemGeometry& g) { g.pool_stride[1] = 0; });
  StemGeometry wide{1, 1, 1, {16, 16, 16}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {7, 7, 7}, {1, 1, 1}, {0, 0, 0}};
  EXPECT_THROW(wide.check(), Error);  // 343 taps do not fit a byte
}

TEST(Stem3d, OneValuePerChannelIsDeclined) {
  const StemGeometry g{1, 1, 2, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}};
  for (const Kernel* kernel : rungs_of("stem3d_forward", DType::kF32))
    EXPECT_FALSE(kernel->declines(Stem3dForward(DType::kF32, g, 1e-5, 0.1)).empty()) << kernel->rung;
}

TEST(Stem3d, CountsOnlyWhatTouchesData) {
  // 25 with kernel 3, stride 2, padding 3: of 15 outputs per axis two have no live tap, two have two.
  const StemGeometry stem{32,        1,         200,       {25, 25, 25}, {3, 3, 3},
                          {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2},    {1, 1, 1}};
  EXPECT_EQ(stem.conv_out(0), 15);
  EXPECT_EQ(stem.pool_out(0), 8);
  EXPECT_EQ(stem.live_taps(), 27);
  EXPECT_EQ(stem.live_pairs(), 37.0 * 37 * 37);
}

}  // namespace
}  // namespace umbra
