// Sub-boxes against independent oracles: grids and labels are recounted from the catalog by brute force.
#include "data/boxes/boxes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "data/observations/moustakas2013.h"
#include "engine/cpu/parallel.h"
#include "tests/fixtures/box_samples.h"

namespace umbra {
namespace {

using namespace testing_boxes;

TEST(SubboxSize, IsTheUsualOneOrADivisorThatGivesEnoughBoxes) {
  const auto chosen = [](double side, std::int64_t cubes) {
    Catalog header;
    header.box_size = side;
    header.boxes = cubes;
    return choose_subbox_size(header, {}, "c.h5", "size=");
  };
  const std::tuple<double, std::int64_t, int> cases[] = {
      // the side of a cube, cubes, sub-boxes along a side
      {250, 1, 10}, {75, 1, 3},  {50, 1, 2},  {25, 1, 1}, {25, 896, 1}, {60, 1, 3},
      {62.5, 1, 3}, {30, 1, 3},  {40, 1, 3},  {40, 2, 2}, {40, 16, 2},  {30, 16, 1},
      {20, 20, 1},  {110, 1, 4}, {115, 1, 5}, {205, 1, 8}};
  for (const auto& [side, cubes, per_side] : cases) {
    const SubboxSize size = chosen(side, cubes);
    EXPECT_DOUBLE_EQ(size.size, side / per_side) << side << ' ' << cubes;
    EXPECT_EQ(size.note.empty(), size.size == 25) << size.note;
  }
  EXPECT_EQ(chosen(60, 1).note,
            "size=20 (27 sub-boxes): sub-boxes of 25 Mpc/h do not divide the box of 60 Mpc/h");
}

TEST(SubboxSize, AWrongOneIsRefusedWithTheWordsToAdd) {
  Catalog header;
  header.box_size = 62.5;
  const auto error = [&](double size) {
    try {
      choose_subbox_size(header, {size}, "c.h5", "size=");
    } catch (const Error& problem) {
      return std::string(problem.what());
    }
    return std::string();
  };
  EXPECT_EQ(error(12.5), "");
  const std::string text = error(25);
  EXPECT_EQ(
      text,
      "c.h5: sub-boxes of 25 Mpc/h do not divide the box of 62.5 Mpc/h; add size=20.8333333 (27 sub-boxes)");
  EXPECT_EQ(error(20.8333333), "");  // as it is printed
  for (const double wrong : {70.0, 0.0, -5.0}) EXPECT_NE(error(wrong), "") << wrong;
}

TEST(Boxes, GridAndLabelByBruteForce) {
  const Catalog c = random_catalog(2, 2000);
  BoxOptions wanted = options();
  wanted.features = {"vpeak", "mvir"};
  const BoxSet set = make_boxes(c, wanted);
  ASSERT_EQ(set.count, 2 * 27);
  ASSERT_EQ(set.per_side, 3);
  const auto x = c.column("x"), y = c.column("y"), z = c.column("z"), vpeak = c.column("vpeak"),
             mvir = c.column("mvir");
  const auto cubes = c.integer_column("box");
  const double voxel = 2.0;
  std::int64_t checked = 0;
  for (int cube = 0; cube < 2; ++cube)
    for (int gx = 0; gx < 12; ++gx)
      for (int gy = 0; gy < 12; ++gy)
        for (int gz = 0; gz < 12; ++gz) {
          double sum[2] = {0, 0};
          int count = 0;
          for (std::size_t r = 0; r < x.size(); ++r) {
            if (cubes[r] != cube || vpeak[r] < 150) continue;
            if (x[r] < gx * voxel || x[r] >= (gx + 1) * voxel || y[r] < gy * voxel ||
                y[r] >= (gy + 1) * voxel || z[r] < gz * voxel || z[r] >= (gz + 1) * voxel)
              continue;
            sum[0] += vpeak[r];
            sum[1] += mvir[r];
            ++count;
          }
          const int box = cube * 27 + (gx / 4 * 3 + gy / 4) * 3 + gz / 4;
          const int at = (gx % 4 * 4 + gy % 4) * 4 + gz % 4;
          for (int feature = 0; feature < 2; ++feature) {
            const float expected = count ? static_cast<float>(sum[feature] / count) : 0.0f;
            ASSERT_EQ(set.input[static_cast<std::size_t>((box * 2 + feature) * 64 + at)], expected);
          }
          checked += count;
        }
  EXPECT_GT(checked, 1300);
  for (std::int64_t box = 0; box < set.count; ++box) {
    std::vector<int> counts(14, 0);
    std::int64_t halos = 0;
    for (std::size_t r = 0; r < x.size(); ++r) {
      const auto b = cubes[r] * 27 + (static_cast<int>(x[r] / 8) * 3 + static_cast<int>(y[r] / 8)) * 3 +
                     static_cast<int>(z[r] / 8);
      if (b != box) continue;
      halos += vpeak[r] >= 150;
      const double bin = std::floor((std::log10(c.column("stellar_mass")[r]) - 10.2) / 0.1);
      if (bin >= 0 && bin < 14) ++counts[static_cast<std::size_t>(bin)];  // whatever its vpeak
    }
    EXPECT_EQ(set.halos[static_cast<std::size_t>(box)], halos);
    EXPECT_EQ(set.box[static_cast<std::size_t>(box)], box);
    for (std::size_t bin = 0; bin < 14; ++bin)
      EXPECT_FLOAT_EQ(label_of(set, box)[bin], static_cast<float>(counts[bin] / 512.0));
  }
}

TEST(Boxes, UnitsAndSigma) {
  const Catalog catalog = random_catalog(1, 500);
  BoxOptions wanted = options();
  const BoxSet plain = make_boxes(catalog, wanted);
  wanted.per_dex = true;
  const BoxSet dex = make_boxes(catalog, wanted);
  ASSERT_EQ(plain.sigma.size(), 14u);
  // Moustakas et al. (2013) at 10.2-10.3: errors 1.4517e-4 and 1.7919e-4; the larger counts.
  EXPECT_FLOAT_EQ(plain.sigma[0], 0.000179185054713184f);
  EXPECT_FLOAT_EQ(plain.sigma[13], 3.18241552456813e-05f);
  EXPECT_FLOAT_EQ(dex.sigma[0], 0.000179185054713184f / 0.343f);
  for (std::size_t i = 0; i < plain.smf.size(); ++i) EXPECT_FLOAT_EQ(dex.smf[i], plain.smf[i] * 10);
  EXPECT_NE(plain.smf_unit, dex.smf_unit);
  ASSERT_EQ(plain.edges.size(), 15u);
  EXPECT_NEAR(plain.edges[14], 11.6, 1e-12);
}

TEST(Boxes, ImpossibleOptionsAreExplained) {
  const Catalog catalog = random_catalog(1, 50);
  const auto with = [&](const std::function<void(BoxOptions&)>& change) {
    return [&, change] {
      BoxOptions wanted = options();
      change(wanted);
      make_boxes(catalog, wanted);
    };
  };
  expect_message(with([](BoxOptions& o) { o.subbox_size = 7; }), {"7", "does not divide", "24"});
  expect_message(with([](BoxOptions& o) { o.subbox_size = 0; }), {"sub-box size"});
  expect_message(with([](BoxOptions& o) { o.subbox_size = 48; }), {"sub-box size"});
  expect_message(with([](BoxOptions& o) { o.subbox_size = std::nan(""); }), {"sub-box size"});
  expect_message(with([](BoxOptions& o) { o.subbox_size = 1e-9; }), {"too small"});
  expect_message(with([](BoxOptions& o) { o.voxels = 0; }), {"voxels"});
  expect_message(with([](BoxOptions& o) { o.voxels = 4096; }), {"memory"});
  expect_message(with([](BoxOptions& o) { o.smf_bins = 0; }), {"smf_bins"});
  expect_message(with([](BoxOptions& o) { o.smf_width = 0; }), {"smf_width"});
  expect_message(with([](BoxOptions& o) { o.min_vpeak = std::nan(""); }), {"min_vpeak"});
  expect_message(with([](BoxOptions& o) { o.smf_min = 8.5; }), {"8.5", "not covered", "9 to 12.4"});
  expect_message(with([](BoxOptions& o) { o.smf_bins = 23; }), {"not covered"});
  expect_message(with([](BoxOptions& o) { o.features = {}; }), {"feature"});
  expect_message(with([](BoxOptions& o) { o.features = {"vpeak", "vpeak"}; }), {"twice"});
  expect_message(with([](BoxOptions& o) { o.features = {"macc"}; }), {"'macc'", "present"});
  Catalog without = catalog;
  without.columns.erase("vpeak");
  BoxOptions wanted = options();
  wanted.features = {"mvir"};
  expect_message([&] { make_boxes(without, wanted); }, {"'vpeak'"});
  EXPECT_NO_THROW(with([](BoxOptions& o) { o.smf_min = 9.0, o.smf_bins = 34; })());
}

TEST(Boxes, NoStellarMassesAndNoHalos) {
  Catalog catalog = random_catalog(2, 40);
  catalog.columns.erase("stellar_mass");
  for (auto& box : catalog.integers["box"]) box = 0;  // the second cube is empty
  const BoxSet set = make_boxes(catalog, options());
  EXPECT_TRUE(set.smf.empty());
  EXPECT_TRUE(set.galaxies.empty());
  EXPECT_EQ(set.halos[40], 0);
  for (const float value : input_of(set, 40)) EXPECT_EQ(value, 0.0f);
  const BoxDataset data(set, all_of(set), {true, true});
  const Rng rng(1, Purpose::kAugmentation);
  for (const float value : read(data, 0, &rng).target) EXPECT_TRUE(std::isnan(value));

  Catalog none = random_catalog(1, 1);
  for (auto& [name, values] : none.columns) values.clear();
  none.integers["box"].clear();
  const BoxSet empty = make_boxes(none, options());
  EXPECT_EQ(empty.count, 27);
  EXPECT_EQ(*std::max_element(empty.smf.begin(), empty.smf.end()), 0.0f);
}

TEST(Boxes, SameBitsForAnyNumberOfThreads) {
  const Catalog catalog = random_catalog(3, 5000);
  omp_set_num_threads(1);
  const BoxSet one = make_boxes(catalog, options());
  omp_set_num_threads(5);
  const BoxSet five = make_boxes(catalog, options());
  EXPECT_EQ(one.input, five.input);
  EXPECT_EQ(one.smf, five.smf);
}

// For models that know the parameters of a simulation but none of its halos.
TEST(Boxes, EverySubBoxHasTheParametersOfItsCube) {
  Catalog catalog = random_catalog(3, 500);
  catalog.box_parameters["omega_m"] = {0.1, 0.2, 0.3};
  catalog.box_parameters["seed"] = {7, 8, 9};
  const BoxSet set = make_boxes(catalog, options());
  ASSERT_EQ(set.parameters.size(), 1U);
  const std::vector<double>& omega_m = set.parameters.at("omega_m");
  ASSERT_EQ(std::ssize(omega_m), set.count);
  EXPECT_EQ(set.count, 3 * set.per_cube());
  for (std::size_t i = 0; i < omega_m.size(); ++i)
    EXPECT_EQ(omega_m[i],
              catalog.box_parameters["omega_m"][static_cast<std::size_t>(set.box[i] / set.per_cube())]);
}

TEST(Split, IsDisjointExhaustiveAndReproducible) {
  const SampleSplit split = split_boxes(1000, 0.8, 3);
  EXPECT_EQ(split.train.size(), 800u);
  EXPECT_EQ(split.validation.size(), 200u);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.validation.begin(), split.validation.end()));
  std::set<std::int64_t> both(split.train.begin(), split.train.end());
  both.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(both.size(), 1000u);
  EXPECT_EQ(*both.rbegin(), 999);
  EXPECT_EQ(split_boxes(1000, 0.8, 3).train, split.train);
  EXPECT_NE(split_boxes(1000, 0.8, 4).train, split.train);
  // A larger share contains all boxes of a smaller one.
  const auto larger = split_boxes(1000, 0.9, 3).train;
  EXPECT_TRUE(std::includes(larger.begin(), larger.end(), split.train.begin(), split.train.end()));
  // The validation boxes are spread: the mean index of 200 of 1000 has a standard deviation of 18.
  double mean = 0;
  for (const auto i : split.validation) mean += static_cast<double>(i) / 200;
  EXPECT_NEAR(mean, 499.5, 90);
}

TEST(Split, SmallAndWrongArguments) {
  EXPECT_TRUE(split_boxes(0, 0.8, 1).train.empty());
  EXPECT_EQ(split_boxes(2, 0.99, 1).validation.size(), 1u);
  EXPECT_EQ(split_boxes(2, 0.01, 1).train.size(), 1u);
  EXPECT_EQ(split_boxes(5, 1.0, 1).train.size(), 5u);
  expect_message([] { split_boxes(10, 1.5, 1); }, {"1.5"});
  expect_message([] { split_boxes(10, std::nan(""), 1); }, {"nan"});
  expect_message([] { split_boxes(-1, 0.5, 1); }, {"-1"});
}

}  // namespace
}  // namespace umbra
