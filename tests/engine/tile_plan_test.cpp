// How matrix products are divided among the blocks of a GPU.
#include "engine/cuda/tile/tile_plan.h"

#include <gtest/gtest.h>

namespace umbra {
namespace {

constexpr std::int64_t kExtents[] = {1,   2,   14,  16,  63,   64,   65,    100,    127,
                                     128, 129, 200, 800, 2048, 7105, 14212, 100'003};
constexpr std::int64_t kSlices[] = {1, 2, 3, 7, 8, 13, 50, 203, 6750, 1'000'001};

TEST(TilePlan, TilesCoverTheResultAndNoneIsEmpty) {
  for (const std::int64_t rows : kExtents) {
    for (const std::int64_t columns : kExtents) {
      for (const std::int64_t slices : kSlices) {
        const TilePlan plan = plan_tiles(rows, columns, slices);
        ASSERT_GE(plan.row_tiles * static_cast<std::int64_t>(rows_of(plan.tile)), rows);
        ASSERT_LT((plan.row_tiles - 1) * static_cast<std::int64_t>(rows_of(plan.tile)), rows);
        ASSERT_GE(plan.column_tiles * static_cast<std::int64_t>(columns_of(plan.tile)), columns);
        ASSERT_LT((plan.column_tiles - 1) * static_cast<std::int64_t>(columns_of(plan.tile)), columns);
      }
    }
  }
}

TEST(TilePlan, PartsAreFewAndLong) {
  for (const std::int64_t rows : kExtents) {
    for (const std::int64_t columns : kExtents) {
      for (const std::int64_t slices : kSlices) {
        const TilePlan plan = plan_tiles(rows, columns, slices);
        ASSERT_GE(plan.parts, 1);
        ASSERT_TRUE(plan.parts == 1 || plan.tiles() * plan.parts <= 528)
            << rows << ' ' << columns << ' ' << slices;
        ASSERT_TRUE(plan.parts == 1 || slices / plan.parts >= 4);
        const std::int64_t outputs = rows * columns;
        ASSERT_EQ(bytes_of_parts(plan, outputs),
                  plan.parts == 1 ? 0U : 4 * static_cast<std::size_t>(outputs * plan.parts));
      }
    }
  }
}

TEST(TilePlan, PartsAreAllSlicesOnce) {
  for (const int slices : {0, 1, 2, 7, 16, 203, 2'000'000'000}) {
    for (const int parts : {1, 2, 3, 43, 256, 384}) {
      ASSERT_EQ(first_slice(slices, 0, parts), 0);
      ASSERT_EQ(first_slice(slices, parts, parts), slices);
      for (int p = 0; p < parts; ++p) {
        const int length = first_slice(slices, p + 1, parts) - first_slice(slices, p, parts);
        ASSERT_TRUE(length == slices / parts || length == slices / parts + 1);
      }
    }
  }
}

TEST(TilePlan, LayersOfTheUmResnet) {
  const auto expect = [](const TilePlan& plan, Tile tile, std::int64_t tiles, int parts) {
    EXPECT_EQ(plan.tile, tile);
    EXPECT_EQ(plan.tiles(), tiles);
    EXPECT_EQ(plan.parts, parts);
  };
  // 200 channels, batch 32: columns are positions times 32; slices are taps of a position times 13, 25 or 50.
  expect(plan_tiles(200, 2048, 16 * 13), Tile::kTall, 64, 4);             // layer1, fprop
  expect(plan_tiles(27 * 200, 200, 38 * 2, false), Tile::kTall, 172, 3);  // layer1, wgrad
  expect(plan_tiles(400, 256, 8 * 25), Tile::kTall, 16, 16);              // layer2, fprop
  expect(plan_tiles(800, 32, 50), Tile::kSmall, 13, 12);                  // layer3, fprop
  expect(plan_tiles(32, 320, 50), Tile::kSmall, 5, 12);                   // the first layer of the head
  expect(plan_tiles(64, 4096 * 16, 9 * 4), Tile::kWide, 512, 1);          // 64 channels on 64^2
}

TEST(TilePlan, EveryTileIsReachedByTheTestsOfLinear) {
  EXPECT_EQ(plan_tiles(65, 7105, 1).tile, Tile::kTall);
  EXPECT_EQ(plan_tiles(65, 14212, 1).tile, Tile::kBig);
  EXPECT_EQ(plan_tiles(2, 14341, 1).tile, Tile::kWide);
  EXPECT_EQ(plan_tiles(65, 65, 1).tile, Tile::kSmall);
}

}  // namespace
}  // namespace umbra
