// Properties of CAMELS subhalos that not every file has.
#include <algorithm>

#include "tests/fixtures/camels_set.h"

namespace umbra {
namespace {

using CamelsProperties = CamelsTest;

Cube with_properties() {
  Cube cube;
  cube.vdisp = {110, 60, 0};
  cube.rmax = {40, 20, 0};
  cube.spin = {300, 0, 400, 1, 2, 2, 0, 0, 0};
  return cube;
}

TEST_F(CamelsProperties, PropertiesOfSubhalosAreKept) {
  make("SB7_0", with_properties());
  Cube second = with_properties();
  second.vdisp[0] = 90;
  make("SB7_1", second);
  const Catalog catalog = read_camels(folder_);
  using Values = std::vector<double>;
  EXPECT_EQ(catalog.columns.at("vdisp"), (Values{110, 60, 90, 60}));  // without the row without velocity
  EXPECT_EQ(catalog.columns.at("rmax"), (Values{40, 20, 40, 20}));
  EXPECT_EQ(catalog.columns.at("angular_momentum"), (Values{500, 3, 500, 3}));
  const Catalog fewer = read_camels(folder_, {.rows = {.drop = {"rmax", "angular_momentum"}}});
  EXPECT_TRUE(fewer.has("vdisp"));
  EXPECT_FALSE(fewer.has("rmax"));
  EXPECT_FALSE(fewer.has("angular_momentum"));
  Cube in_mpc = with_properties();
  in_mpc.box_size = 25;
  for (float& x : in_mpc.position) x /= 1000;
  for (float& r : in_mpc.rmax) r /= 1000;
  for (float& j : in_mpc.spin) j /= 1000;
  make("SB7_0", in_mpc);
  EXPECT_NEAR(read_camels(folder_).column("rmax")[0], 40, 1e-5);
  EXPECT_NEAR(read_camels(folder_).column("angular_momentum")[0], 500, 1e-4);
}

TEST_F(CamelsProperties, PropertiesThatSomeFilesLackAreLeftOut) {
  make("SB7_0", with_properties());
  Cube without = with_properties();
  without.rmax.clear();
  make("SB7_1", without);
  ImportReport report;
  const Catalog catalog = read_camels(folder_, {}, &report);
  EXPECT_TRUE(catalog.has("vdisp"));
  EXPECT_FALSE(catalog.has("rmax"));
  const std::string note = "column 'rmax' is left out because some files lack it";
  EXPECT_EQ(std::count(report.notes.begin(), report.notes.end(), note), 1);
}

}  // namespace
}  // namespace umbra
