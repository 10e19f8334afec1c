// Parameters of boxes are standardised over the training boxes, and nothing else about the inputs changes.
#include <gtest/gtest.h>

#include <cmath>

#include "models/tasks/smf/transform.h"
#include "tests/fixtures/box_samples.h"

namespace umbra {
namespace {

using namespace testing_boxes;

TEST(BoxParameters, AreStandardisedOverTheTrainingBoxes) {
  Catalog catalog = random_catalog(4, 2000);
  catalog.box_parameters["a"] = {1, 2, 4, 100};  // the last cube only validates
  catalog.box_parameters["b"] = {0.3, 0.3, 0.3, 0.4};
  SmfSettings settings;
  settings.boxes = options();
  settings.voxels = kVoxels;
  settings.subbox_size.number = kSide / kPerSide;
  BoxSet plain = make_boxes(catalog, settings.box_options());
  settings.boxes.parameters = {"a", "b"};
  settings.check();
  BoxSet boxes = make_boxes(catalog, settings.box_options());
  std::vector<std::int64_t> train;
  for (std::int64_t box = 0; box < 3 * 27; ++box) train.push_back(box);
  const Transform transform = fit_transform(boxes, train, settings);
  const double mean = 7.0 / 3, deviation = std::sqrt(21.0 / 3 - mean * mean);
  EXPECT_NEAR(transform.parameter_shift[0], mean, 1e-6);
  EXPECT_NEAR(transform.parameter_scale[0], 1 / deviation, 1e-6);
  EXPECT_EQ(transform.parameter_scale[1], 0);  // it does not vary in training
  const Transform again = from_map(to_map(transform), settings, "here");
  EXPECT_EQ(again.parameter_shift, transform.parameter_shift);
  scale_inputs(boxes, again);
  scale_inputs(plain, {transform.input_scale, {}, {}, {}, {}});
  const std::size_t volume = 64;
  for (std::int64_t box = 0; box < boxes.count; ++box) {
    const std::vector<float> all = input_of(boxes, box);
    EXPECT_EQ(std::vector<float>(all.begin(), all.begin() + volume), input_of(plain, box));
    const double a = catalog.box_parameters["a"][static_cast<std::size_t>(box / 27)];
    EXPECT_NEAR(all[volume], (a - mean) / deviation, 1e-4);
    EXPECT_EQ(all[2 * volume], 0);
  }
  Fitted without = to_map(transform);
  without.erase("parameter_scale");
  expect_message([&] { from_map(without, settings, "run.h5"); },
                 {"run.h5: /transform/parameter_scale with 2 numbers"});
}

TEST(BoxParameters, NamedTwiceOrWithoutANameAreRefused) {
  SmfSettings settings;
  settings.boxes.parameters = {"a", "a"};
  expect_message([&] { settings.check(); }, {"data.parameters: a is named twice"});
  settings.boxes = {.features = {"vpeak", "mvir", "vpeak"}};
  expect_message([&] { settings.check(); }, {"data.features: vpeak is named twice"});
  settings.boxes = {.parameters = {"2"}};
  expect_message([&] { settings.check(); }, {"data.parameters=2: the name of a parameter is expected"});
}

}  // namespace
}  // namespace umbra
