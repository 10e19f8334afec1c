// Counts, names and initial values of the UM ResNet.
#include "models/um_resnet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace umbra {
namespace {

struct Count {
  std::int64_t channels, all, live;
};

class UmResNetCounts : public testing::TestWithParam<Count> {};

// 1400 C^2 of the parameters are dead: their taps only ever meet padding. Geometry alone decides.
TEST_P(UmResNetCounts, AllAndLive) {
  const Count expected = GetParam();
  const std::int64_t c = expected.channels;
  Build build;
  const UmResNet network(build, {c, 1, 25, 14, 0.5});
  std::int64_t all = 0, live = 0;
  for (const Parameter& p : network.parameters()) {
    EXPECT_EQ(p.value().count(), p.value().shape().count()) << p.name;
    all += p.value().count();
    live += p.var->grad_layout.stored(p.value().shape());
  }
  EXPECT_EQ(all, expected.all);
  EXPECT_EQ(live, expected.live);
  EXPECT_EQ(all - live, 1400 * c * c);
}

INSTANTIATE_TEST_SUITE_P(Paper, UmResNetCounts,
                         testing::Values(Count{20, 859142, 299142}, Count{100, 20255862, 6255862},
                                         Count{200, 80663762, 24663762}),
                         [](const auto& count) { return "C" + std::to_string(count.param.channels); });

TEST(UmResNet, HasPyTorchsNames) {
  Build build;
  const UmResNet network(build, {4, 1, 25, 14, 0.5});
  std::set<std::string> names;
  for (const NamedTensor& t : network.state()) EXPECT_TRUE(names.insert(t.name).second) << t.name;
  for (const char* name : {"conv1.weight", "bn1.running_mean", "bn1.num_batches_tracked",
                           "layer1.0.downsample.0.weight", "layer1.0.downsample.1.running_var",
                           "layer3.1.conv2.weight", "fc1.bias", "fcbn1.bias", "fcbn3.running_var"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_EQ(names.size(), 60U + 19U * 3U);  // 60 parameters, three buffers for each of 19 batch norms
}

TEST(UmResNet, StartsUniformWithTheDenseFanIn) {
  Build build;
  const UmResNet network(build, {20, 1, 25, 14, 0.5});
  for (const Parameter& p : network.parameters()) {
    if (p.name != "layer3.1.conv2.weight") continue;
    const double bound = 1 / std::sqrt(80.0 * 27);
    double sum = 0, squares = 0, largest = 0;
    for (float v : p.value().values<float>()) {
      sum += static_cast<double>(v);
      squares += static_cast<double>(v) * static_cast<double>(v);
      largest = std::max(largest, std::abs(static_cast<double>(v)));
    }
    const auto n = static_cast<double>(p.value().count());
    EXPECT_LE(largest, bound);
    EXPECT_GT(largest, 0.999 * bound);
    EXPECT_NEAR(sum / n, 0, 5 * bound / std::sqrt(3 * n));  // five standard errors of the mean
    EXPECT_NEAR(squares / n / (bound * bound / 3), 1,
                0.01);  // variance of a uniform; its error is 0.9 / sqrt(n)
  }
}

TEST(UmResNet, SameSeedSameWeightsOtherSeedOthers) {
  Build first{{}, DType::kF32, 7}, second{{}, DType::kF32, 7}, other{{}, DType::kF32, 8};
  const UmResNet a(first, {4}), b(second, {4}), c(other, {4});
  const auto weights = [](const UmResNet& n) {
    const auto span = n.parameters()[0].value().values<float>();
    return std::vector<float>(span.begin(), span.end());
  };
  EXPECT_EQ(weights(a), weights(b));
  EXPECT_NE(weights(a), weights(c));
}

// The loss and the gradient of all weights, in double precision, with running statistics.
struct Evaluated {
  double loss;
  std::map<std::string, std::vector<double>> gradient;
};
Evaluated evaluated(UmResNet& network, const std::vector<double>& x, std::int64_t boxes, bool record) {
  const Registry registry = make_registry();
  Context context(registry, {});
  const Tensor input = allocate_tensor({}, {boxes, 1, 25, 25, 25}, DType::kF64);
  const Tensor target = allocate_tensor({}, {boxes, 1}, DType::kF64);
  from_host(x, input, context.stream);
  from_host(std::vector<double>(static_cast<std::size_t>(boxes), 1), target, context.stream);
  Tape tape(context);
  Pass pass{context, record ? &tape : nullptr};
  const Var loss = mean_squared_error(pass, network.forward(pass, constant(input)), target);
  Evaluated found{to_host(loss->value, context.stream)[0], {}};
  if (!record) return found;
  tape.backward(loss);
  for (const Parameter& p : network.parameters()) {
    found.gradient[p.name] = to_host(p.grad(), context.stream);
    p.grad() = {};
  }
  return found;
}

// The stem has a gradient without statistics of the batch, too. Boxes are then independent of each other.
TEST(UmResNet, GradientWithRunningStatistics) {
  Build build{{}, DType::kF64, 3};
  UmResNet network(build, {.channels = 4, .outputs = 1});
  const Rng rng(1, Purpose::kTest);
  std::uint64_t draw = 1 << 20;
  for (const Parameter& p :
       network.parameters()) {  // no ReLU at exactly 0, where differences see half a slope
    if (p.value().shape().rank() > 1) continue;
    for (double& value : p.value().values<double>()) value += 0.1 * rng.normal(draw++);
  }
  std::vector<double> both;
  for (std::uint64_t i = 0; i < 2 * 25 * 25 * 25; ++i) both.push_back(rng.normal(i));
  const auto half = both.begin() + 25 * 25 * 25;
  const Evaluated all = evaluated(network, both, 2, true);
  const Evaluated one = evaluated(network, {both.begin(), half}, 1, true);
  const Evaluated other = evaluated(network, {half, both.end()}, 1, true);
  EXPECT_NEAR(all.loss, evaluated(network, both, 2, false).loss, 1e-12);
  for (const auto& [name, gradient] : all.gradient) {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const double mean = (one.gradient.at(name)[i] + other.gradient.at(name)[i]) / 2;
      ASSERT_NEAR(gradient[i], mean, 1e-12) << name << " " << i;
    }
  }
  for (const char* name : {"conv1.weight", "bn1.weight", "bn1.bias"}) {  // by differences
    for (const Parameter& p : network.parameters()) {
      if (p.name != name) continue;
      double& weight = p.value().values<double>()[0];
      const double step = 1e-8;  // no ReLU and no maximum changes
      weight += step;
      const double above = evaluated(network, both, 2, false).loss;
      weight -= 2 * step;
      const double below = evaluated(network, both, 2, false).loss;
      weight += step;
      const double slope = (above - below) / (2 * step);
      EXPECT_NEAR(all.gradient.at(name)[0], slope, 1e-6 * std::max(1.0, std::abs(slope))) << name;
      EXPECT_NE(slope, 0) << name;
    }
  }
}

}  // namespace
}  // namespace umbra
