// What a network of lists starts with: the mean number of galaxies of no listed halo in the training boxes.
#include <gtest/gtest.h>

#include <cmath>

#include "models/tasks/smf/smf_task.h"
#include "tests/fixtures/box_samples.h"

namespace umbra {
namespace {

using namespace testing_boxes;

constexpr std::int64_t kBins = 3;

// Three cubes of 8 Mpc/h. Each has a listed halo with a galaxy in the last bin; below the cut the first has two galaxies
// in the first bin, the second has four and the third, on which nothing is trained, a hundred.
Catalog cubes() {
  Catalog catalog;
  catalog.box_size = 8;
  catalog.boxes = 3;
  for (const std::int64_t cube : {0, 1, 2}) {
    const int below = cube == 0 ? 2 : cube == 1 ? 4 : 100;
    for (int i = 0; i <= below; ++i) {
      for (const char* axis : {"x", "y", "z"}) catalog.columns[axis].push_back(4);
      catalog.columns["vpeak"].push_back(i == 0 ? 200 : 120);
      catalog.columns["stellar_mass"].push_back(std::pow(10, i == 0 ? 10.45 : 10.25));
      catalog.integers["box"].push_back(cube);
    }
  }
  return catalog;
}

SmfSettings list_settings() {
  SmfSettings settings;
  settings.input = "halos";
  settings.smf_bins = kBins;
  settings.subbox_size.number = 8;
  settings.boxes.features = {"log10(vpeak)"};
  return settings;
}

TEST(HaloLists, BackgroundIsOfTheGalaxiesOfNoListedHaloInTraining) {
  const SmfSettings settings = list_settings();
  const BoxSet boxes = make_boxes(cubes(), settings.box_options());
  const Transform transform = fit_transform(boxes, {0, 1}, settings);
  ASSERT_EQ(transform.background.size(), static_cast<std::size_t>(kBins));
  EXPECT_NEAR(transform.background[0], std::log(3.0), 1e-6);
  EXPECT_NEAR(transform.background[1], std::log(0.5), 1e-6);  // none: as if the two boxes had one
  EXPECT_NEAR(transform.background[2], std::log(0.5), 1e-6);  // the galaxies of this bin have halos
  EXPECT_EQ(from_map(to_map(transform), settings, "here").background, transform.background);
  SmfTask task;
  task.of = settings;
  EXPECT_EQ(task.shape(to_map(transform)).background, transform.background);
  Fitted without = to_map(transform);
  without.erase("background");
  expect_message([&] { from_map(without, settings, "run.h5"); },
                 {"run.h5: /transform/background with 3 numbers is expected"});
}

}  // namespace
}  // namespace umbra
