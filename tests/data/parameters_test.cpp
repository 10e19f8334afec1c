// Parameters of cubes as constant channels of the input.
#include "data/boxes/parameters.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/fixtures/box_samples.h"

namespace umbra {
namespace {

using namespace testing_boxes;

Catalog catalog_with_parameters() {
  Catalog catalog = random_catalog(3, 900);
  catalog.box_parameters["Omega_m"] = {0.1, 0.3, 0.5};
  catalog.box_parameters["A_SN1"] = {1, 10, 0.01};
  return catalog;
}

TEST(Parameters, AreConstantChannelsBehindTheFeatures) {
  const Catalog catalog = catalog_with_parameters();
  BoxOptions wanted = options();
  const BoxSet plain = make_boxes(catalog, wanted);
  wanted.parameters = {"omega_m", "log10(A_SN1)", "Omega_m*2"};
  const BoxSet set = make_boxes(catalog, wanted);
  const std::size_t volume = 64;
  ASSERT_EQ(set.input.size(), plain.input.size() * 4);
  const BoxDataset data(set, all_of(set), {true, true});
  EXPECT_EQ(data.input_shape(), (Shape{4, 4, 4, 4}));
  const Rng rng(5, Purpose::kAugmentation);
  for (std::int64_t box = 0; box < set.count; ++box) {
    const auto cube = static_cast<std::size_t>(box / 27);
    const double omega = std::vector{0.1, 0.3, 0.5}[cube], log_a = std::vector{0.0, 1.0, -2.0}[cube];
    const std::vector<float> all = input_of(set, box), augmented = read(data, box, &rng).input;
    const std::vector<float> first(all.begin(), all.begin() + 64);
    EXPECT_EQ(first, input_of(plain, box));
    for (std::size_t i = 0; i < volume; ++i) {
      ASSERT_EQ(all[volume + i], static_cast<float>(omega));
      ASSERT_FLOAT_EQ(all[2 * volume + i], static_cast<float>(log_a));
      ASSERT_EQ(all[3 * volume + i], static_cast<float>(2 * omega));
    }
    EXPECT_TRUE(std::equal(all.begin() + 64, all.end(), augmented.begin() + 64)) << box;
  }
}

TEST(Parameters, MistakesGetTheNearestName) {
  const Catalog catalog = catalog_with_parameters();
  const auto wrong = [&](const std::string& text, std::initializer_list<std::string> parts) {
    expect_message([&] { parameter_values(text, catalog); }, parts);
  };
  wrong("Omega_n", {"no parameter 'Omega_n'", "did you mean 'Omega_m'?", "A_SN1 Omega_m"});
  wrong("log10(Omega_m - 0.1)", {"is -inf for cube 0"});
  wrong("3", {"the name of a parameter is expected"});
  wrong("log10(Omega_m", {"position 14", "')' is expected"});
  expect_message([] { parameter_values("h", random_catalog(1, 10)); }, {"no parameter 'h'", "has none"});
}

}  // namespace
}  // namespace umbra
