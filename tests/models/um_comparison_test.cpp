// um_resnet2d and um_dense: counts by hand, names, what they read of a sample, and PyTorch's numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "models/box_samples.h"
#include "models/um_resnet.h"
#include "tests/fixtures/comparison_golden_check.h"

namespace umbra {
namespace {

struct Count {
  std::int64_t all = 0, live = 0;
  bool operator==(const Count&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Count& count) {
  return out << count.all << " of which " << count.live << " live";
}

Count count_of(const Module& network) {
  Count count;
  for (const Parameter& p : network.parameters()) {
    count.all += p.value().shape().count();
    count.live += p.var->grad_layout.stored(p.value().shape());
  }
  return count;
}

std::unique_ptr<Module> two_d(Build& build, const char* blocks, std::int64_t channels,
                              const SampleShape& shape = {{1, 25, 25, 25}, 14}) {
  UmResNet2dOptions options;
  options.channels = channels;
  options.blocks = blocks;
  return options.make(build, shape);
}

// conv1 and bn1; the layers with their batch norms; fc1 to fcbn3. Of the 3^2 taps, the first convolution of layer3
// (2^2 -> 1^2) has four that touch data, the three on 1^2 have one each.
TEST(UmResNet2d, CountsOfResidualBlocks) {
  for (const std::int64_t c : {4, 20}) {
    const std::int64_t stem = 9 * 25 * c + 2 * c;
    const std::int64_t layer1 = (4 * 9 + 1) * c * c + 5 * 2 * c;
    const std::int64_t layer2 = (9 * 2 + 3 * 9 * 4 + 2) * c * c + 5 * 4 * c;
    const std::int64_t layer3 = (9 * 8 + 3 * 9 * 16 + 8) * c * c + 5 * 8 * c;
    const std::int64_t head = 320 * (4 * c + 3) + 80 * (320 + 3) + 14 * (80 + 3);
    const std::int64_t dead = (5 * 8 + 3 * 8 * 16) * c * c;
    const std::int64_t all = stem + layer1 + layer2 + layer3 + head;
    Build build;
    EXPECT_EQ(count_of(*two_d(build, "residual", c)), (Count{all, all - dead}));
  }
  Build build;
  EXPECT_EQ(count_of(*two_d(build, "residual", 20)).all, 330302);
}

TEST(UmResNet2d, CountsOfPlainBlocks) {
  Build build;
  const std::int64_t convolutions = 9 * (25 * 10 + 10 * 20 + 20 * 40) + 2 * (10 + 20 + 40);
  const std::int64_t all = convolutions + 68 * (360 + 3) + 14 * (68 + 1);  // 360 as in the authors' fc1
  EXPECT_EQ(count_of(*two_d(build, "plain", 10)), (Count{all, all}));
}

TEST(UmResNet2d, HasTheNamesOfItsPredecessors) {
  const auto names = [](const Module& network) {
    std::vector<std::string> all;
    for (const Parameter& p : network.parameters()) all.push_back(p.name);
    return all;
  };
  Build build;
  const std::unique_ptr<Module> residual = two_d(build, "residual", 4), plain = two_d(build, "plain", 4);
  EXPECT_EQ(names(*residual), names(UmResNet(build, {.channels = 4})));
  EXPECT_EQ(names(*plain),
            (std::vector<std::string>{"conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight",
                                      "bn2.bias", "conv3.weight", "bn3.weight", "bn3.bias", "fc1.weight",
                                      "fc1.bias", "fcbn1.weight", "fcbn1.bias", "fc2.weight", "fc2.bias"}));
  EXPECT_EQ(residual->parameters()[0].value().shape(), (Shape{4, 25, 3, 3}));
  UmResNet2dOptions options;
  EXPECT_EQ(options.label(), "um_resnet2d C=20");
  options.blocks = "plain";
  EXPECT_EQ(options.label(), "um_resnet2d plain C=20");
}

TEST(UmResNet2d, OtherRanksAreRefused) {
  Build build;
  EXPECT_THROW(UmResNet(build, {.channels = 4, .rank = 1}), Error);
  EXPECT_THROW(UmResNet(build, {.channels = 4, .rank = 4}), Error);
}

TEST(UmDense, HasTheWidthsOfTheAuthors) {
  Build build{.learns = false};
  const UmDense network(build, {});
  std::vector<Shape> weights;
  for (const Parameter& p : network.parameters())
    if (p.value().shape().rank() == 2) weights.push_back(p.value().shape());
  EXPECT_EQ(weights, (std::vector<Shape>{{1000, 15625}, {150, 1000}, {14, 150}}));
  std::int64_t all = 0;
  for (const Parameter& p : network.parameters()) all += p.value().shape().count();
  EXPECT_EQ(all, 1000 * (15625 + 3) + 150 * (1000 + 3) + 14 * (150 + 1));
}

// Values in double precision.
std::vector<double> outputs(Module& network, const Shape& shape, const std::vector<double>& values) {
  const Registry registry = make_registry();
  Context context(registry, {});
  const Tensor input = allocate_tensor({}, shape, DType::kF64);
  from_host(values, input, context.stream);
  Pass pass{context};
  return to_host(network.forward(pass, constant(input))->value, context.stream);
}

TEST(BoxSamples, TheChannelsOfAnImageAreSlicesAlongTheFirstAxis) {
  const Registry registry = make_registry();
  Context context(registry, {});
  const Tensor cubes = allocate_tensor({}, {2, 3, 2, 2, 2}, DType::kF64);  // boxes, features, x, y, z
  std::vector<double> numbers(48);
  std::iota(numbers.begin(), numbers.end(), 0.0);
  from_host(numbers, cubes, context.stream);
  Pass pass{context};
  const Tensor images = slices_as_channels(pass, constant(cubes))->value;
  EXPECT_EQ(images.shape(), (Shape{2, 6, 2, 2}));
  const std::vector<double> found = to_host(images, context.stream);
  for (std::size_t box = 0; box < 2; ++box)
    for (std::size_t feature = 0; feature < 3; ++feature)
      for (std::size_t x = 0; x < 2; ++x)
        for (std::size_t yz = 0; yz < 4; ++yz)
          EXPECT_EQ(found[((box * 6) + feature * 2 + x) * 4 + yz],
                    static_cast<double>(((box * 3 + feature) * 2 + x) * 4 + yz));
}

TEST(BoxSamples, SamplesOfParametersAloneAreRefused) {
  const Registry registry = make_registry();
  Context context(registry, {});
  Pass pass{context};
  const Var x = constant(allocate_tensor({}, {1, 2, 2, 2, 2}, DType::kF32));
  EXPECT_THROW(split_parameters(pass, x, 2), Error);
}

class ParametersOfBoxes : public testing::TestWithParam<golden::ComparisonNetwork> {};

// They are the last columns of fc1: one each, whatever the number of voxels.
TEST_P(ParametersOfBoxes, EnterFc1) {
  const golden::ComparisonNetwork& of = GetParam();
  Build build{{}, DType::kF64, 3};
  const std::unique_ptr<Module> network = golden::make_comparison(build, of);
  const std::vector<Parameter> all = network->parameters();
  const auto fc1 = std::ranges::find_if(all, [](const Parameter& p) { return p.name == "fc1.weight"; });
  ASSERT_NE(fc1, all.end());
  const std::span<double> weight = fc1->value().values<double>();
  const auto columns = static_cast<std::size_t>(fc1->value().shape()[1]);
  const std::vector<double> original(weight.begin(), weight.end());
  const auto keep = [&](const std::function<bool(std::size_t)>& kept) {
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = kept(i % columns) ? original[i] : 0;
  };
  const auto volume = static_cast<std::size_t>(of.voxels * of.voxels * of.voxels);
  const auto output = [&](std::uint64_t seed, double first, double second) {
    const Rng rng(seed, Purpose::kTest);
    std::vector<double> values(2 * volume);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = rng.normal(i);
    for (const double parameter : {first, second}) values.insert(values.end(), volume, parameter);
    return outputs(*network, {1, 4, of.voxels, of.voxels, of.voxels}, values);
  };
  EXPECT_NE(output(1, 0.3, -1), output(2, 0.3, -1));
  EXPECT_NE(output(1, 0.3, -1), output(1, 0.3, 2));
  keep([&](std::size_t column) { return column >= columns - 2; });
  EXPECT_EQ(output(1, 0.3, -1), output(2, 0.3, -1));
  EXPECT_NE(output(1, 0.3, -1), output(1, 0.3, 2));
  EXPECT_NE(output(1, 0.3, -1), output(1, 0.4, -1));
  keep([&](std::size_t column) { return column < columns - 2; });
  EXPECT_NE(output(1, 0.3, -1), output(2, 0.3, -1));
  EXPECT_EQ(output(1, 0.3, -1), output(1, 0.4, 2));
}

class ComparisonGolden : public testing::TestWithParam<golden::ComparisonNetwork> {};

TEST_P(ComparisonGolden, EqualsPyTorch) {
  golden::expect_comparison_network(GetParam(), {});
}

const auto kNameOf = [](const auto& test) { return std::string(test.param.name); };
INSTANTIATE_TEST_SUITE_P(Models, ParametersOfBoxes, testing::ValuesIn(golden::kComparisonNetworks), kNameOf);
INSTANTIATE_TEST_SUITE_P(Models, ComparisonGolden, testing::ValuesIn(golden::kComparisonNetworks), kNameOf);

}  // namespace
}  // namespace umbra
