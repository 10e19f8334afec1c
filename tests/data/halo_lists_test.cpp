// Lists of halos: their order, features, classes and padding against the catalog, counted by hand or by brute force.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "data/boxes/box_stream.h"
#include "tests/fixtures/box_samples.h"

namespace umbra {
namespace {

using namespace testing_boxes;

BoxOptions list_options(std::vector<std::string> features) {
  BoxOptions out = options();
  out.input = BoxInput::kHalos;
  out.features = std::move(features);
  return out;
}

// Two cubes of 8 Mpc/h, each its own sub-box: three halos above the cut and a galaxy below it; no halo at all.
Catalog tiny() {
  Catalog catalog;
  catalog.box_size = 8;
  catalog.boxes = 2;
  catalog.columns = {{"x", {1, 7.5, 4, 4}},
                     {"y", {1, 1, 4, 4}},
                     {"z", {1, 1, 4, 4}},
                     {"vpeak", {200, 300, 250, 120}},
                     {"stellar_mass", {std::pow(10, 10.25), std::pow(10, 10.45), 1e9, std::pow(10, 10.21)}}};
  catalog.integers["box"] = {0, 0, 0, 0};
  catalog.box_parameters["Omega_m"] = {0.3, 0.4};
  return catalog;
}

struct Row {
  std::vector<float> input, target;
};
Row read_rows(const HaloDataset& data, std::int64_t index, std::size_t rows, std::size_t bins) {
  Row row{std::vector<float>(rows * static_cast<std::size_t>(data.input_shape()[1])),
          std::vector<float>(bins + rows + 1)};
  data.read(index, nullptr, row.input, row.target);
  return row;
}

TEST(HaloLists, AreCountedByHand) {
  BoxOptions wanted = list_options({"vpeak", "neighbours(2)"});
  wanted.subbox_size = 8;
  wanted.smf_bins = 3;
  wanted.parameters = {"Omega_m"};
  const BoxSet set = make_boxes(tiny(), wanted);
  EXPECT_EQ(set.halos, (std::vector<std::int64_t>{3, 0}));
  EXPECT_EQ(set.classes, (std::vector<std::int16_t>{2, 3, 0}));  // 300, 250 and 200 km/s; 3: in no bin
  const float two = static_cast<float>(std::log10(2.0)), four = static_cast<float>(std::log10(4.0));
  // The halos at x = 1 and 7.5 are 1.5 Mpc/h apart, because the cube is periodic.
  EXPECT_EQ(set.input, (std::vector<float>{0.3f, four, 300, two, 250, 0, 200, two, 0.4f, 0}));
  EXPECT_EQ(set.list_begin, (std::vector<std::int64_t>{0, 8, 10}));

  const HaloDataset data(set, {0, 1});
  EXPECT_EQ(data.input_shape(), (Shape{3, 6}));
  EXPECT_EQ(data.target_shape(), (Shape{3 + 3 + 1}));
  const Row full = read_rows(data, 0, 4, 3);  // one row of padding
  const float share = 1.0f / (kListSoftening + 3);
  EXPECT_EQ(full.input, (std::vector<float>{300, two, 0.3f, four, share, 0, 250, 0, 0.3f, four, share, 0,
                                            200, two, 0.3f, four, share, 0, 0,   0, 0.3f, four, 0,     1}));
  const float one = 1.0f / 512;  // a galaxy: phi counts the one below the cut, too
  EXPECT_EQ(full.target, (std::vector<float>{2 * one, 0, one, 2, 3, 0, -1, -1}));
  const Row empty = read_rows(data, 1, 1, 3);
  EXPECT_EQ(empty.input, (std::vector<float>{0, 0, 0.4f, 0, 0, 1}));
  EXPECT_EQ(empty.target, (std::vector<float>{0, 0, 0, -1, -1}));
  expect_message([&] { read_rows(data, 0, 2, 3); }, {"a list of 3 halos does not fit"});
}

TEST(HaloLists, DoNotDependOnTheOrderOfRows) {
  const Catalog catalog = random_catalog(2, 1500);
  const auto rows = static_cast<std::size_t>(catalog.rows());
  Catalog reversed = catalog;
  for (auto& [name, column] : reversed.columns) std::reverse(column.begin(), column.end());
  for (auto& [name, column] : reversed.integers) std::reverse(column.begin(), column.end());
  ASSERT_EQ(rows, static_cast<std::size_t>(reversed.rows()));
  const BoxOptions wanted = list_options({"log10(mvir)", "neighbours(1.5)"});
  const BoxSet one = make_boxes(catalog, wanted), other = make_boxes(reversed, wanted);
  EXPECT_EQ(one.input, other.input);
  EXPECT_EQ(one.classes, other.classes);
  EXPECT_EQ(one.smf, make_boxes(catalog, options()).smf);  // labels are those of grids
}

TEST(HaloLists, NeighboursAreThoseOfTheSubBoxByBruteForce) {
  const Catalog catalog = random_catalog(1, 2000);
  const BoxSet set = make_boxes(catalog, list_options({"vpeak", "neighbours(2.5)"}));
  std::int64_t found = 0;
  for (std::int64_t box = 0; box < set.count; ++box) {
    std::vector<std::size_t> inside;
    for (std::size_t row = 0; row < static_cast<std::size_t>(catalog.rows()); ++row) {
      std::int64_t at = 0;
      for (const char* axis : {"x", "y", "z"})
        at = at * kPerSide + static_cast<std::int64_t>(catalog.column(axis)[row] / 8);
      if (at == box && catalog.column("vpeak")[row] >= 150) inside.push_back(row);
    }
    std::sort(inside.begin(), inside.end(),
              [&](auto a, auto b) { return catalog.column("vpeak")[a] > catalog.column("vpeak")[b]; });
    const float* list = set.input.data() + set.list_begin[static_cast<std::size_t>(box)] + 1;
    for (std::size_t i = 0; i < inside.size(); ++i) {
      int near = 0;
      for (const std::size_t other : inside) {
        double square = 0;
        for (const char* axis : {"x", "y", "z"})
          square += std::pow(catalog.column(axis)[other] - catalog.column(axis)[inside[i]], 2);
        near += other != inside[i] && square <= 2.5 * 2.5;
      }
      ASSERT_EQ(list[2 * i], static_cast<float>(catalog.column("vpeak")[inside[i]]));
      ASSERT_EQ(list[2 * i + 1], static_cast<float>(std::log10(1.0 + near)));
      found += near;
    }
  }
  EXPECT_GT(found, 1000);
}

TEST(HaloLists, OfAStreamAreThoseOfTheWhole) {
  const auto file = std::filesystem::path(testing::TempDir()) / "umbra_halo_lists.h5";
  const Catalog catalog = random_catalog(2, 1500);
  write_catalog(file, catalog);
  const BoxOptions wanted = list_options({"vpeak", "neighbours(2)"});
  const BoxSet whole = make_boxes(catalog, wanted);
  BoxStream stream(file, wanted, testing::TempDir(), {5, 64, 100});
  std::vector<float> input;
  std::vector<std::int16_t> classes;
  while (const auto group = stream.next()) {
    input.insert(input.end(), group->input.begin(), group->input.end());
    classes.insert(classes.end(), group->classes.begin(), group->classes.end());
  }
  EXPECT_TRUE(stream.uses_scratch());
  EXPECT_EQ(input, whole.input);
  EXPECT_EQ(classes, whole.classes);
  std::filesystem::remove(file);
}

TEST(HaloLists, FeaturesOfVoxelsAndOfHalosAreNotMixed) {
  const Catalog catalog = random_catalog(1, 100);
  expect_message([&] { make_boxes(catalog, list_options({"count"})); },
                 {"feature 'count'", "properties of voxels", "data.input=halos"});
  expect_message(
      [&] {
        make_boxes(catalog, list_options({"vpeak", "occupancy"}));
      },
      {"properties of voxels"});
  BoxOptions grid = options();
  grid.features = {"neighbours(2)"};
  expect_message([&] { make_boxes(catalog, grid); }, {"feature 'neighbours(2)'", "data.input=halos"});
  expect_message(
      [&] {
        make_boxes(catalog, list_options({"vpeak", "neighbours(60)"}));
      },
      {"feature 'neighbours(60)': the radius must be less than the size of a sub-box, "});
  for (const char* wrong : {"neighbours(x)", "neighbours(0)", "neighbours(-1)", "neighbours()"})
    expect_message([&] { make_boxes(catalog, list_options({wrong})); },
                   {"a radius in Mpc/h, such as neighbours(2)"});
}

}  // namespace
}  // namespace umbra
