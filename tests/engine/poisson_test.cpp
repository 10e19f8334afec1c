// The Poisson likelihood of counts: what the gauntlet cannot see.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/grad/functions.h"
#include "engine/ops/loss/poisson_reference.h"
#include "engine/registry/registry.h"
#include "tests/fixtures/special_values.h"

namespace umbra {
namespace {

using namespace testing_ops;

std::vector<double> positives(std::size_t count, std::uint64_t stream) {
  auto values = normals(count, stream);
  for (double& value : values) value = std::exp(value);
  return values;
}

TEST(Poisson, GradientByDualNumbersDownToZero) {
  const Poisson op(DType::kF64, 7, 14, 3);
  auto p = positives(98, 1), t = positives(98, 2);
  p[0] = 0;      // below the smallest mean, where the tangent takes over
  p[1] = 1e-21;  //
  t[0] = t[1] = 1e-20;
  t[2] = 0;  // an empty bin
  const auto v = normals(98, 3);
  DualVector p_dual = duals(p, v), t_dual(t.begin(), t.end()), loss_dual(1), dp_dual(98);
  call_reference(poisson_reference<Dual<double>>, op, p_dual, t_dual, loss_dual, dp_dual);
  std::vector<double> loss(1), dp(98);
  call_reference(poisson_reference<double>, op, p, t, loss, dp);
  const Inner backward = Inner().add(v, dp);
  EXPECT_LT(std::abs(loss_dual[0].derivative - backward.sum) / backward.size, kAdjointTolerance);
}

TEST(Poisson, IsFiniteAtZero) {
  expect_poisson_to_be_finite_at_zero(Device::Kind::kCpu);
}

// The value is that of scipy.stats.poisson.logpmf without log k!: 3, 1 and 0 galaxies where 2.5, 0.25 and 0.5 are
// expected.
TEST(Poisson, IsTheLogLikelihoodWithoutTheFactorial) {
  const Poisson op(DType::kF32, 1, 3, 2);
  with_every_rung_on(Device::Kind::kCpu, op, {{1.25, 0.125, 0.25}, {1.5, 0.5, 0}},
                     [](const gauntlet::Values& got) {
                       const double logs = 3 * std::log(2.5) + std::log(0.25);
                       expect_all(got[2], {3.25 - logs}, 1e-6);
                       expect_all(got[3], {2 - 2 * 3 / 2.5, 2 - 2 / 0.25, 2}, 1e-6);
                     });
}

class PoissonFunction : public testing::Test {
 protected:
  Tensor tensor(const std::vector<double>& numbers) {
    Tensor t = allocate_tensor({}, {1, static_cast<std::int64_t>(numbers.size())}, DType::kF64);
    from_host(numbers, t, context.stream);
    return t;
  }

  Registry registry = make_registry();
  Context context{registry, {}};
};

// With phi = exp(z) the gradient is mu - k for any z, although that of phi is huge where phi is small.
TEST_F(PoissonFunction, OfAnExponentialHasTheGradientOfExpectedMinusObserved) {
  Tape tape(context);
  Pass pass{context, &tape};
  const std::vector<double> z{1, 0, -2, -40}, target{2, 0, 0.5, 0.25};
  const Var x = constant(tensor(z));
  x->needs_grad = true;
  const Var loss = poisson(pass, exp(pass, x), tensor(target), 4);
  tape.backward(loss);
  const std::vector<double> grad = to_host(x->grad, context.stream);
  for (std::size_t i = 0; i < z.size(); ++i)
    EXPECT_NEAR(grad[i], 4 * std::exp(z[i]) - 4 * target[i], 1e-12) << z[i];
}

TEST_F(PoissonFunction, RefusesAnExposureThatIsNotPositive) {
  Pass pass{context};
  try {
    poisson(pass, constant(tensor({1})), tensor({1}), 0);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "poisson: the exposure must be positive, but it is 0");
  }
}

}  // namespace
}  // namespace umbra
