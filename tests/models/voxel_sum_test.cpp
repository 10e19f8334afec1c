// The sum over the voxels of a box: what it counts, what it does not see, and its gradient.
#include "models/voxel_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/um_resnet.h"

namespace umbra {
namespace {

constexpr std::int64_t kSide = 5, kFeatures = 2, kWidth = 3;
constexpr std::size_t kVolume = kSide * kSide * kSide;

class VoxelSumTest : public testing::Test {
 protected:
  VoxelSumTest() : sum(build, kFeatures, kWidth, kSide) {
    // Thresholds at either side of 0, so that f(0) is not 0.
    const Rng rng(5, Purpose::kTest);
    std::uint64_t draw = 0;
    for (const Parameter& p : sum.parameters())
      if (p.name.find("conv") != std::string::npos)
        for (double& value : p.value().values<double>()) value = 0.2 + 0.5 * rng.normal(draw++);
  }

  Tensor tensor(const std::vector<double>& numbers) {
    const auto boxes = static_cast<std::int64_t>(numbers.size() / (kFeatures * kVolume));
    const Tensor t = allocate_tensor({}, {boxes, kFeatures, kSide, kSide, kSide}, DType::kF64);
    from_host(numbers, t, context.stream);
    return t;
  }
  std::vector<double> outputs(const std::vector<double>& numbers) {
    Pass pass{context};
    return to_host(sum.forward(pass, constant(tensor(numbers)))->value, context.stream);
  }
  /// A box with these halos, (voxel, first feature, second feature) each.
  struct Halo {
    std::size_t voxel;
    double first, second;
  };
  static std::vector<double> box(const std::vector<Halo>& halos) {
    std::vector<double> numbers(kFeatures * kVolume, 0);
    for (const Halo& h : halos) {
      numbers[h.voxel] = h.first;
      numbers[kVolume + h.voxel] = h.second;
    }
    return numbers;
  }
  double& parameter(const std::string& name, std::size_t i) {
    for (const Parameter& p : sum.parameters())
      if (p.name == name) return p.value().values<double>()[i];
    fail("there is no ", name);
  }

  Registry registry = make_registry();
  Context context{registry, {}};
  Build build{{}, DType::kF64, 3};
  VoxelSum sum;
};

TEST_F(VoxelSumTest, AddsWhatItsHalosContributeWhereverTheyAre) {
  const std::vector<double> none = outputs(box({}));
  const std::vector<double> a = outputs(box({{7, 1, 2}})), b = outputs(box({{99, -0.5, 3}}));
  const std::vector<double> both = outputs(box({{120, 1, 2}, {0, -0.5, 3}}));
  for (std::size_t e = 0; e < kWidth; ++e) {
    EXPECT_NEAR(none[e], 0, 1e-12);  // the running mean of the batch norm starts at 0
    EXPECT_NEAR(both[e], a[e] + b[e], 1e-10);
  }
  EXPECT_GT(std::abs(a[0]) + std::abs(a[1]) + std::abs(a[2]), 0.1);
}

// A unit that is relu(v - 1) - relu(v - 2) by hand counts the halos above 2.
TEST_F(VoxelSumTest, CountsHalosAboveAThreshold) {
  for (const Parameter& p : sum.parameters())
    if (p.name.find("conv") != std::string::npos) std::ranges::fill(p.value().values<double>(), 0.0);
  for (std::size_t unit = 0; unit < 2; ++unit) {
    parameter("conv1.weight", unit) = 1;  // one tap: [feature][unit]
    parameter("conv1.bias", unit) = unit == 0 ? -1 : -2;
  }
  parameter("conv2.weight", 0) = 1;
  parameter("conv2.weight", kWidth) = -1;
  const std::vector<double> got = outputs(box({{3, 2.5, 0}, {40, 7, 0}, {41, 0.9, 0}, {42, 0.2, 5}}));
  EXPECT_NEAR(got[0], 2, 1e-4);  // the batch norm divides by sqrt(1 + 1e-5)
  EXPECT_EQ(got[1], 0);
}

TEST_F(VoxelSumTest, GradientByDifferences) {
  std::vector<double> numbers = box({{7, 1, 2}, {8, 0.4, -1}});
  const std::vector<double> second = box({{99, -0.5, 3}}), third = box({{1, 2, 1}, {60, 1, 1}, {90, 3, 0.5}});
  numbers.insert(numbers.end(), second.begin(), second.end());
  numbers.insert(numbers.end(), third.begin(), third.end());
  const Tensor target = allocate_tensor({}, {3, kWidth}, DType::kF64);
  from_host(std::vector<double>{1, 0, 2, -1, 1, 1, 0, 0.5, 3}, target, context.stream);
  const auto loss = [&](bool record) {
    Tape tape(context);
    Pass pass{context, record ? &tape : nullptr, true};
    const Var l = mean_squared_error(pass, sum.forward(pass, constant(tensor(numbers))), target);
    if (record) tape.backward(l);
    return to_host(l->value, context.stream)[0];
  };
  loss(true);
  int moved = 0;
  for (const Parameter& p : sum.parameters()) {
    const auto gradient = p.grad().values<double>();  // as stored, like the weights
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      constexpr double kStep = 1e-6;
      double& weight = p.value().values<double>()[i];
      weight += kStep;
      const double above = loss(false);
      weight -= 2 * kStep;
      const double below = loss(false);
      weight += kStep;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * kStep), 1e-6) << p.name << " " << i;
      moved += std::abs(gradient[i]) > 1e-4 ? 1 : 0;
    }
  }
  EXPECT_GT(moved, 10);
}

TEST(UmResNetPooled, JoinsTheMapAtFc1AndLeavesTheRestAsItWas) {
  const UmResNetOptions plain{.channels = 3, .in_channels = kFeatures, .voxels = 9, .outputs = 5};
  UmResNetOptions options = plain;
  options.pooled = 4;
  Build one{{}, DType::kF32, 3}, other{{}, DType::kF32, 3};
  const UmResNet without(one, plain), with(other, options);
  std::vector<std::string> more;
  for (const Parameter& p : with.parameters()) {
    const auto same = [&](const Parameter& q) { return q.name == p.name; };
    const auto all = without.parameters();
    if (std::ranges::none_of(all, same)) more.push_back(p.name);
    if (p.name == "fc1.weight") {
      EXPECT_EQ(p.value().shape(), (Shape{320, 4 * 3 + 4}));
    }
    if (p.name == "pooled.conv1.weight") {
      EXPECT_EQ(p.value().shape(), (Shape{4, kFeatures, 1, 1, 1}));
    }
  }
  EXPECT_EQ(more, (std::vector<std::string>{"pooled.conv1.weight", "pooled.conv1.bias", "pooled.conv2.weight",
                                            "pooled.conv2.bias", "pooled.bn.weight", "pooled.bn.bias"}));
}

TEST(UmResNetPooled, RefusesParametersAsChannels) {
  UmResNetOptions options;
  options.pooled = 4;
  options.enter = "channels";
  Build build;
  try {
    options.make(build, {{2, 9, 9, 9}, 5, 1});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("model.pooled=4 needs model.parameters=fc1 or film"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace umbra
