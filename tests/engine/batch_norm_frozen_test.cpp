// Batch normalisation with running statistics that are constants: the gradient by dual numbers, the gate, and
// the functions of the tape in evaluation mode.
#include <gtest/gtest.h>

#include <tuple>

#include "engine/grad/functions.h"
#include "engine/ops/batch_norm/reference.h"
#include "tests/fixtures/given_gradient.h"
#include "tests/fixtures/special_values.h"

namespace umbra {
namespace {

using namespace testing_ops;

struct View {
  std::int64_t outer, channels, inner;
  BatchNormOptions options;
  std::size_t count() const { return static_cast<std::size_t>(outer * channels * inner); }
  std::size_t residual_count() const { return options.residual ? count() : 0; }
  std::size_t width() const { return static_cast<std::size_t>(channels); }
};

Doubles positives(std::size_t count, std::uint64_t stream) {
  Doubles values = normals(count, stream);
  for (double& value : values) value = std::abs(value) + 0.1;
  return values;
}

TEST(BatchNormFrozen, GradientIsTheAdjoint) {
  for (const bool relu : {false, true}) {
    for (const bool residual : {false, true}) {
      for (const auto& [outer, channels, inner] :
           {std::tuple{4, 3, 5}, std::tuple{5, 37, 1}, std::tuple{1, 2, 1}, std::tuple{6, 2, 125}}) {
        const View s{outer, channels, inner, {relu, residual}};
        const auto x = normals(s.count(), 1), gamma = normals(s.width(), 2), beta = normals(s.width(), 3);
        const auto vx = normals(s.count(), 4), vg = normals(s.width(), 5), vb = normals(s.width(), 6);
        const auto w = normals(s.count(), 7), mean = normals(s.width(), 8), var = positives(s.width(), 9);
        const auto r = normals(s.residual_count(), 10), vr = normals(s.residual_count(), 11);
        DualVector x_dual = duals(x, vx), gamma_dual = duals(gamma, vg), beta_dual = duals(beta, vb);
        DualVector r_dual = duals(r, vr), y_dual(s.count());
        const DualVector mean_dual(mean.begin(), mean.end()), var_dual(var.begin(), var.end());
        call_reference(batch_norm_inference_reference<Dual<double>>,
                       BatchNormInference(DType::kF64, s.outer, s.channels, s.inner, 1e-3, s.options), x_dual,
                       gamma_dual, beta_dual, mean_dual, var_dual, r_dual, y_dual);
        Doubles y, dx(s.count()), dgamma(s.width()), dbeta(s.width()), dr(s.residual_count());
        for (const auto& value : y_dual) y.push_back(value.value);
        call_reference(batch_norm_frozen_backward_reference<double>,
                       BatchNormFrozenBackward(DType::kF64, s.outer, s.channels, s.inner, 1e-3, s.options), w,
                       x, y, gamma, mean, var, dx, dgamma, dbeta, dr);
        const Inner jv = Inner().add(derivatives(y_dual), w);
        const Inner jtw = Inner().add(vx, dx).add(vg, dgamma).add(vb, dbeta).add(vr, dr);
        EXPECT_LT(adjoint_gap(jv, jtw), kAdjointTolerance) << outer << relu << residual;
      }
    }
  }
}

TEST(BatchNormFrozen, TheGateIsClosedWhereTheOutputIsZero) {
  expect_gate_to_be_closed_where_the_output_is_zero(Device::Kind::kCpu);
}

class BatchNormFrozenFunction : public testing::Test {
 protected:
  Var leaf(const Shape& shape, const Doubles& values, const Layout& layout = {}) {
    const Tensor t = context_.temporary(shape, DType::kF64, layout);
    from_host(values, t, context_.stream);
    Var var = constant(t);
    var->needs_grad = true;
    return var;
  }
  Doubles values(const Tensor& t) { return to_host(t, context_.stream); }

  Registry registry_ = make_registry();
  Context context_{registry_, {}};
};

// relu(gamma (x - mean) / sqrt(var + epsilon) + beta + residual) in every layout, from the formulas; the
// statistics stay.
TEST_F(BatchNormFrozenFunction, GivesTheGradientInEvaluationMode) {
  constexpr std::size_t kSamples = 4, kChannels = 3, kPlaces = 5, kCount = kSamples * kChannels * kPlaces;
  const Doubles x = normals(kCount, 1), r = normals(kCount, 2), dy = normals(kCount, 3);
  const Doubles gamma = normals(kChannels, 4), beta = normals(kChannels, 5);
  const Doubles mean = normals(kChannels, 6), var = positives(kChannels, 7);
  for (const bool relu : {false, true}) {
    for (const Layout& layout : {Layout{}, Layout::batch_last()}) {
      Tape tape(context_);
      Pass pass{context_, &tape};
      const Shape shape{kSamples, kChannels, 1, kPlaces};
      const Var vx = leaf(shape, x, layout), vr = leaf(shape, r, layout);
      const Var vg = leaf({kChannels}, gamma), vb = leaf({kChannels}, beta);
      const BatchNormState state{leaf({kChannels}, mean)->value, leaf({kChannels}, var)->value, 0.5, 1e-3};
      const Var y = relu ? batch_norm_relu(pass, vx, vg, vb, state, vr) : batch_norm(pass, vx, vg, vb, state);
      const Doubles out = values(y->value);
      backward_from(pass, y, dy);
      Doubles dx(kCount), dgamma(kChannels), dbeta(kChannels), dr(kCount);
      for (std::size_t i = 0; i < kCount; ++i) {
        const std::size_t c = i / kPlaces % kChannels;
        const double inverse = 1 / std::sqrt(var[c] + 1e-3), xhat = (x[i] - mean[c]) * inverse;
        const double before = gamma[c] * xhat + beta[c] + (relu ? r[i] : 0);
        const double g = !relu || before > 0 ? dy[i] : 0;
        EXPECT_NEAR(out[i], relu ? std::max(0.0, before) : before, 1e-13);
        dr[i] = g;
        dx[i] = gamma[c] * inverse * g;
        dgamma[c] += g * xhat;
        dbeta[c] += g;
      }
      const auto near = [](const Doubles& got, const Doubles& want) {
        ASSERT_EQ(got.size(), want.size());
        for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-13) << i;
      };
      near(values(vx->grad), dx);
      near(values(vg->grad), dgamma);
      near(values(vb->grad), dbeta);
      if (relu) near(values(vr->grad), dr);
      EXPECT_EQ(values(state.running_mean), mean);
      EXPECT_EQ(values(state.running_var), var);
    }
  }
}

// With one value per channel there are no batch statistics, but running ones.
TEST_F(BatchNormFrozenFunction, TakesOneValuePerChannel) {
  Tape tape(context_);
  Pass pass{context_, &tape};
  const Var x = leaf({1, 2}, {3, 4}), gamma = leaf({2}, {1, 2}), beta = leaf({2}, {0, 0});
  const BatchNormState state{leaf({2}, {1, 1})->value, leaf({2}, {4, 16})->value, 0.1, 0.0};
  backward_from(pass, batch_norm(pass, x, gamma, beta, state), {1, 1});
  EXPECT_EQ(values(x->grad), (Doubles{0.5, 0.5}));
  EXPECT_EQ(values(gamma->grad), (Doubles{1, 0.75}));
}

}  // namespace
}  // namespace umbra
