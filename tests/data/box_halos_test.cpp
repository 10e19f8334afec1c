// The halos of sub-boxes as lists, against the grids of make_boxes().
#include "data/boxes/box_halos.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace umbra {
namespace {

Catalog random_catalog(std::size_t rows) {
  Catalog catalog;
  catalog.box_size = 50;
  const Rng rng(4, Purpose::kTest);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t axis = 0; axis < 3; ++axis)
      catalog.columns[std::string(1, "xyz"[axis])].push_back(50 * rng.uniform(4 * i + axis));
    catalog.columns["vpeak"].push_back(100 + 400 * rng.uniform(4 * i + 3));
    catalog.columns["mvir"].push_back(1e12 * (1 + rng.uniform(4 * rows + i)));
    catalog.columns["stellar_mass"].push_back(i % 3 == 0 ? 0 : 3e10);  // 10.48: bin 2
  }
  return catalog;
}

TEST(BoxHalosTest, TheirMeansAreTheVoxels) {
  const Catalog catalog = random_catalog(3000);
  BoxOptions options;
  options.voxels = 5;
  options.features = {"vpeak", "log10(mvir)", "count"};
  const BoxSet boxes = make_boxes(catalog, options);
  const BoxHalos halos = halos_of_boxes(catalog, options);
  ASSERT_EQ(halos.begin.size(), 9U);
  ASSERT_EQ(halos.values.size(), 3U);
  for (std::size_t box = 0; box < 8; ++box) {
    EXPECT_EQ(halos.begin[box + 1] - halos.begin[box], boxes.halos[box]);
    std::vector<double> sum(2 * 125, 0.0), count(125, 0.0);
    for (auto i = static_cast<std::size_t>(halos.begin[box]);
         i < static_cast<std::size_t>(halos.begin[box + 1]); ++i) {
      const auto voxel = static_cast<std::size_t>(halos.voxel[i]);
      EXPECT_GE(halos.values[0][i], options.min_vpeak);
      for (std::size_t f = 0; f < 2; ++f) sum[125 * f + voxel] += halos.values[f][i];
      count[voxel] += 1;
    }
    for (std::size_t voxel = 0; voxel < 125; ++voxel) {
      const float* input = boxes.input.data() + 3 * 125 * box + voxel;
      EXPECT_EQ(input[250], static_cast<float>(count[voxel]));
      for (std::size_t f = 0; f < 2; ++f)
        EXPECT_EQ(input[125 * f],
                  count[voxel] > 0 ? static_cast<float>(sum[125 * f + voxel] / count[voxel]) : 0.0F);
    }
  }
  EXPECT_GT(std::count(halos.bin.begin(), halos.bin.end(), 2), 1000);
  EXPECT_GT(std::count(halos.bin.begin(), halos.bin.end(), -1), 500);
  EXPECT_EQ(
      std::count(halos.bin.begin(), halos.bin.end(), 2) + std::count(halos.bin.begin(), halos.bin.end(), -1),
      static_cast<std::ptrdiff_t>(halos.size()));
}

}  // namespace
}  // namespace umbra
