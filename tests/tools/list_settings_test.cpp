// The settings and the scaling of lists of halos: only the halos of the training boxes count.
#include <gtest/gtest.h>

#include <cmath>

#include "models/tasks/smf/transform.h"
#include "tests/fixtures/box_samples.h"

namespace umbra {
namespace {

using namespace testing_boxes;

SmfSettings list_settings() {
  SmfSettings settings;
  settings.boxes = options();
  settings.input = "halos";
  settings.subbox_size.number = kSide / kPerSide;
  settings.boxes.features = {"vpeak", "residual(mvir)", "neighbours(1)"};
  return settings;
}

// All numbers fitted on cube 0. Cube 1 has `more` times the vpeak and the mvir of a random catalog, and halos in the
// first sub-box alone.
Transform fitted_with(double more) {
  Catalog catalog = random_catalog(2, 3000);
  for (std::size_t row = 0; row < 3000; ++row) {
    if (catalog.integers["box"][row] == 0) continue;
    catalog.columns["vpeak"][row] *= more;
    catalog.columns["mvir"][row] *= more * more;
    for (const char* axis : {"x", "y", "z"}) catalog.columns[axis][row] /= more;
  }
  const SmfSettings settings = list_settings();
  BoxOptions options = settings.box_options();
  std::vector<std::int64_t> train;
  for (std::int64_t box = 0; box < 27; ++box) train.push_back(box);
  options.references = fit_references(catalog, options, train);
  return fit_transform(make_boxes(catalog, options), train, settings);
}

TEST(ListSettings, BoxesThatAreNotTrainedOnHaveNoPartInTheScaling) {
  Fitted plain = to_map(fitted_with(1)), other = to_map(fitted_with(4));
  EXPECT_LT(plain["longest_list"][0], other["longest_list"][0]);  // a shape, which the longest of all needs
  plain.erase("longest_list");
  other.erase("longest_list");
  EXPECT_EQ(plain, other);
  EXPECT_NEAR(plain["input_shift"][0], 225, 5);  // of vpeak from 150 to 300 km/s
  EXPECT_NEAR(plain["input_scale"][0], std::sqrt(12.0) / 150, 1e-3);
  EXPECT_NEAR(plain["input_shift"][1], 0, 0.2);
}

TEST(ListSettings, ALongestListThatIsNoNumberOfHalosIsRefused) {
  Fitted fitted = to_map(fitted_with(1));
  for (const double wrong : {0.0, -3.0, 2.5, 1e17, 1e300}) {
    fitted["longest_list"] = {wrong};
    expect_message([&] { from_map(fitted, list_settings(), "run.h5"); },
                   {"run.h5: /transform/longest_list must be a number of halos"});
  }
}

// Unscaled, every vpeak would be cut to 6.
TEST(ListSettings, FeaturesAreStandardised) {
  SmfSettings settings = list_settings();
  settings.input_scaling = "none";
  expect_message([&] { settings.check(); }, {"data.input=halos needs data.input_scaling=rms"});
  settings.input = "voxels";
  settings.boxes.features = {"vpeak"};
  settings.check();
}

TEST(ListSettings, TheLinkIsOfVoxels) {
  SmfSettings settings = list_settings();
  settings.check();
  settings.link = "log";
  expect_message([&] { settings.check(); }, {"loss.link=log", "data.input=halos"});
}

}  // namespace
}  // namespace umbra
