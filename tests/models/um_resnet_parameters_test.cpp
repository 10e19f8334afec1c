// Parameters of a box in the UM ResNet: at fc1 they join the flattened map and nothing else; with "film" they scale
// and shift the output of every layer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/um_resnet.h"

namespace umbra {
namespace {

constexpr std::int64_t kVoxels = 9, kMap = 4 * 3, kParameters = 2;  // kMap: 4 C
constexpr std::size_t kVolume = kVoxels * kVoxels * kVoxels;

const UmResNetOptions kPlain{.channels = 3, .in_channels = 2, .voxels = kVoxels, .outputs = 5};

UmResNetOptions with_parameters() {
  UmResNetOptions options = kPlain;
  options.parameters = kParameters;
  return options;
}

// Boxes of random maps, each followed by channels of constants.
std::vector<double> boxes_of(std::uint64_t seed, const std::vector<std::vector<double>>& parameters) {
  const Rng rng(seed, Purpose::kTest);
  std::vector<double> numbers;
  for (const std::vector<double>& of_box : parameters) {
    for (std::size_t i = 0; i < 2 * kVolume; ++i) numbers.push_back(rng.normal(numbers.size()));
    for (const double parameter : of_box) numbers.insert(numbers.end(), kVolume, parameter);
  }
  return numbers;
}

std::vector<double> outputs(Module& network, const std::vector<double>& numbers, std::int64_t boxes) {
  const Registry registry = make_registry();
  Context context(registry, {});
  const auto channels = static_cast<std::int64_t>(numbers.size() / kVolume) / boxes;
  const Tensor input = allocate_tensor({}, {boxes, channels, kVoxels, kVoxels, kVoxels}, DType::kF64);
  from_host(numbers, input, context.stream);
  Pass pass{context};
  return to_host(network.forward(pass, constant(input))->value, context.stream);
}

const Parameter fc1_weight(const Module& network) {
  for (const Parameter& p : network.parameters())
    if (p.name == "fc1.weight") return p;
  fail("there is no fc1.weight");
}

TEST(UmResNetParameters, WithoutWeightTheyChangeNothing) {
  Build build{{}, DType::kF64, 3}, other{{}, DType::kF64, 3};
  UmResNet plain(build, kPlain), network(other, with_parameters());
  const Parameter narrow = fc1_weight(plain), wide = fc1_weight(network);
  ASSERT_EQ(wide.value().shape(), (Shape{320, kMap + kParameters}));
  const auto from = narrow.value().values<double>();
  const auto to = wide.value().values<double>();
  for (std::size_t row = 0; row < 320; ++row)
    for (std::size_t k = 0; k < kMap + kParameters; ++k)
      to[row * (kMap + kParameters) + k] = k < kMap ? from[row * kMap + k] : 0;
  for (const Parameter& p : plain.parameters())
    for (const Parameter& q : network.parameters())
      if (p.name == q.name && p.name != "fc1.weight")
        std::ranges::copy(p.value().values<double>(), q.value().values<double>().begin());
  const std::vector<double> maps = boxes_of(1, {{}, {}});
  std::vector<double> all;
  for (std::size_t box = 0; box < 2; ++box) {
    const auto begin = maps.begin() + static_cast<std::ptrdiff_t>(box * 2 * kVolume);
    all.insert(all.end(), begin, begin + 2 * kVolume);
    all.insert(all.end(), 2 * kVolume, 0.5);
  }
  const std::vector<double> expected = outputs(plain, maps, 2), got = outputs(network, all, 2);
  ASSERT_EQ(got.size(), 10u);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-12);
}

TEST(UmResNetParameters, WithoutTheMapTheyAreAllThatCounts) {
  Build build{{}, DType::kF64, 3};
  UmResNet network(build, with_parameters());
  const Parameter weight = fc1_weight(network);
  const auto numbers = weight.value().values<double>();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (i % (kMap + kParameters) < kMap) numbers[i] = 0;
  const std::vector<double> a = outputs(network, boxes_of(1, {{0.3, -1}, {2, 1}}), 2);
  const std::vector<double> b = outputs(network, boxes_of(9, {{0.3, -1}, {2, 1}}), 2);
  EXPECT_EQ(a, b);  // other maps
  EXPECT_NE(a, outputs(network, boxes_of(1, {{0.3, -1}, {2, 1.5}}), 2));
}

// The loss of two boxes and, with `weight`, its derivative with respect to one weight.
double loss_of(Module& network, const std::vector<double>& numbers, const std::string& weight = "",
               double* derivative = nullptr) {
  const Registry registry = make_registry();
  Context context(registry, {});
  const Tensor input = allocate_tensor({}, {2, 4, kVoxels, kVoxels, kVoxels}, DType::kF64);
  const Tensor target = allocate_tensor({}, {2, 5}, DType::kF64);
  from_host(numbers, input, context.stream);
  from_host(std::vector<double>(10, 1), target, context.stream);
  Tape tape(context);
  Pass pass{context, &tape};
  const Var loss = mean_squared_error(pass, network.forward(pass, constant(input)), target);
  if (derivative != nullptr) {
    tape.backward(loss);
    for (const Parameter& p : network.parameters()) {
      if (p.name == weight) *derivative = to_host(p.grad(), context.stream)[0];
      p.grad() = {};
    }
  }
  return to_host(loss->value, context.stream)[0];
}

TEST(UmResNetParameters, WithFilmAllLayersDependOnThem) {
  Build build{{}, DType::kF64, 3};
  UmResNetOptions options = with_parameters();
  options.enter = "film";
  UmResNet network(build, options);
  EXPECT_EQ(fc1_weight(network).value().shape(), (Shape{320, kMap}));
  const std::vector<double> numbers = boxes_of(1, {{0.3, -1}, {2, 1}});
  EXPECT_NE(outputs(network, numbers, 2), outputs(network, boxes_of(1, {{0.3, -1}, {2, 1.5}}), 2));
  for (const Parameter& p : network.parameters()) {
    if (p.name.find("_gain.") == std::string::npos && p.name.find("_shift.") == std::string::npos) continue;
    double derivative = 0;
    loss_of(network, numbers, p.name, &derivative);
    constexpr double kStep = 1e-6;
    double& weight = p.value().values<double>()[0];
    weight += kStep;
    const double above = loss_of(network, numbers);
    weight -= 2 * kStep;
    const double below = loss_of(network, numbers);
    weight += kStep;
    EXPECT_NEAR(derivative, (above - below) / (2 * kStep), 1e-7 + 1e-4 * std::abs(derivative)) << p.name;
  }
}

TEST(UmResNetParameters, WithFilmOfWeightZeroTheyChangeNothing) {
  Build build{{}, DType::kF64, 3};
  UmResNetOptions options = with_parameters();
  options.enter = "film";
  UmResNet network(build, options);
  const std::vector<double> a = boxes_of(1, {{0.3, -1}, {2, 1}}), b = boxes_of(1, {{5, 4}, {-3, 2}});
  EXPECT_NE(outputs(network, a, 2), outputs(network, b, 2));
  for (const Parameter& p : network.parameters())
    if (p.name.find("_gain.") != std::string::npos || p.name.find("_shift.") != std::string::npos)
      std::ranges::fill(p.value().values<double>(), 0.0);
  EXPECT_EQ(outputs(network, a, 2), outputs(network, b, 2));
}

TEST(UmResNetParameters, AsChannelsTheyEnterTheFirstConvolution) {
  const SampleShape shape{{4, kVoxels, kVoxels, kVoxels}, 5, kParameters};
  const auto first_weight = [&](const char* enter) {
    UmResNetOptions options = kPlain;
    options.enter = enter;
    Build build;
    return options.make(build, shape)->parameters()[0].value().shape();
  };
  EXPECT_EQ(first_weight("fc1")[1], 2);
  EXPECT_EQ(first_weight("film")[1], 2);
  EXPECT_EQ(first_weight("channels")[1], 4);
}

}  // namespace
}  // namespace umbra
