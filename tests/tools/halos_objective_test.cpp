// The objective of lists of halos: phi is counted in full precision, whatever the layers of the network compute in.
#include <gtest/gtest.h>

#include <cmath>

#include "models/tasks/smf/objective.h"

namespace umbra {
namespace {

constexpr std::int64_t kBins = 3, kClasses = kBins + 1, kRows = 4;

struct Itself : Module {
  Var forward(Pass&, const Var& x) override { return x; }
};

SmfSettings list_settings() {
  SmfSettings settings;
  settings.input = "halos";
  settings.smf_bins = kBins;
  return settings;
}

// Two boxes with 1000.5 times `factor` galaxies in the first bin, 33.25 in the second and 0.1 in the last, in four rows.
std::vector<double> logs() {
  std::vector<double> values;
  for (const double factor : {1.0, 3.0})
    for (std::int64_t row = 0; row < kRows; ++row)
      for (const double galaxies : {1000.5, 33.25, 0.1, 77.0})
        values.push_back(std::log(factor * galaxies / static_cast<double>(kRows)));
  return values;
}

TEST(HalosObjective, PhiIsTheSumOverRowsInEveryPrecision) {
  const Registry registry = make_registry();
  const SmfSettings settings = list_settings();
  const Transform transform = neutral_transform(settings);
  for (const Precision precision : {Precision::kF32, Precision::kTf32, Precision::kBf16}) {
    Context context(registry, {});
    context.precision = precision;
    Itself network;
    const Objective objective = halos_objective(context, network, settings, transform);
    const Tensor input = allocate_tensor({}, {2, kRows * kClasses}, DType::kF32);
    from_host(logs(), input, context.stream);
    Tape tape(context);
    Pass pass{context, &tape};
    const Var x = constant(input);
    x->needs_grad = true;
    const Var output = objective.predict(pass, x);
    const std::vector<double> phi = to_host(objective.reported(context, output), context.stream);
    ASSERT_EQ(phi.size(), static_cast<std::size_t>(2 * kBins));
    const double expected[] = {1000.5, 33.25, 0.1};
    for (std::size_t i = 0; i < phi.size(); ++i) {
      const double galaxies = (i < kBins ? 1 : 3) * expected[i % kBins];
      EXPECT_NEAR(phi[i] * std::pow(25.0, 3), galaxies, 2e-6 * galaxies) << i;
    }
    // No target galaxy: with sigma 1 the loss is the sum of phi^2, whose gradient at a log is 2 phi times its number.
    std::vector<double> target(2 * (kBins + kRows), 0.0);
    for (std::size_t box = 0; box < 2; ++box)
      for (std::size_t row = 0; row < kRows; ++row) target[box * (kBins + kRows) + kBins + row] = -1;
    const Tensor t = allocate_tensor({}, {2, kBins + kRows}, DType::kF32);
    from_host(target, t, context.stream);
    tape.backward(objective.loss(pass, output, t));
    const std::vector<double> grad = to_host(x->grad, context.stream);
    for (std::size_t i = 0; i < grad.size(); ++i) {
      const std::size_t box = i / (kRows * kClasses), bin = i % kClasses;
      const double want =
          bin < kBins ? phi[box * kBins + bin] * phi[box * kBins + bin] / static_cast<double>(kRows) : 0;
      EXPECT_NEAR(grad[i], want, 1e-5 * want) << i;  // mean over two boxes
    }
  }
}

}  // namespace
}  // namespace umbra
