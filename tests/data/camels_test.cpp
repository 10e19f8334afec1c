// CAMELS group catalogs: tiny files in the SUBFIND layout, made here, and the real set where it is available.
#include "data/catalogs/camels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include "data/catalogs/natural_order.h"
#include "data/catalogs/summary.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"
#include "test_paths.h"
#include "tests/fixtures/camels_set.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

TEST(NaturalOrder, CountsAsPeopleDo) {
  EXPECT_TRUE(natural_less("SB7_2/groups_090", "SB7_10/groups_033"));
  EXPECT_FALSE(natural_less("SB7_10", "SB7_2"));
  EXPECT_TRUE(natural_less("a", "a1"));
  EXPECT_TRUE(natural_less("a9b", "a10a"));
  EXPECT_FALSE(natural_less("a1", "a1"));
  EXPECT_TRUE(natural_less("a01", "a1") != natural_less("a1", "a01"));
  EXPECT_TRUE(natural_less("7", "99999999999999999999999999"));
}

TEST_F(CamelsTest, UnitsCentralsAndOrder) {
  make("SB7_10", Cube{});
  Cube first;
  first.vmax[0] = 300;
  first.omega_m = 0.1;
  make("SB7_2", first);
  ImportReport report;
  const Catalog catalog = read_camels(folder_, {}, &report);
  EXPECT_EQ(catalog.boxes, 2);
  EXPECT_EQ(catalog.box_size, 25);
  EXPECT_EQ(catalog.redshift, 0);
  EXPECT_NEAR(catalog.cosmology.omega_m, 0.2, 1e-12);
  EXPECT_EQ(report.files, 2);
  EXPECT_EQ(report.motionless, 2);  // one per file has no velocity
  EXPECT_EQ(report.wrapped, 2);     // 25000 kpc/h is 0; the row at -1 is skipped before
  ASSERT_EQ(catalog.rows(), 4);
  EXPECT_EQ(catalog.column("vpeak")[0], 300);  // SB7_2 before SB7_10
  EXPECT_EQ(catalog.column("x")[0], 1);
  EXPECT_EQ(catalog.column("x")[1], 0);
  EXPECT_EQ(catalog.column("mvir")[0], 50e10);
  EXPECT_EQ(catalog.column("stellar_mass")[0], 4e10);  // 2e10 Msun/h at h = 0.5
  EXPECT_EQ(catalog.column("stellar_mass")[1], 1e10);
  EXPECT_EQ(std::vector(catalog.integers.at("id")), (std::vector<std::int64_t>{0, 1, 3, 4}));
  EXPECT_EQ(std::vector(catalog.integers.at("upid")), (std::vector<std::int64_t>{-1, 0, -1, 3}));
  EXPECT_EQ(std::vector(catalog.integers.at("box")), (std::vector<std::int64_t>{0, 0, 1, 1}));
  EXPECT_FALSE(catalog.has("spin"));
  EXPECT_NE(catalog.source.find("SubhaloVmax"), std::string::npos);
  EXPECT_NE(summary(catalog).find("2 halos, 1.00 per cube"), std::string::npos) << summary(catalog);
}

TEST_F(CamelsTest, AFileWithoutSubhalosIsAnEmptyCube) {
  Cube empty;
  empty.position = empty.vmax = empty.mass = empty.stars = {};
  empty.group = empty.first = {};
  empty.claimed = 0;
  make("a", empty);
  make("b", Cube{});
  const Catalog catalog = read_camels(folder_);
  EXPECT_EQ(catalog.boxes, 2);
  EXPECT_EQ(catalog.integer_column("box")[0], 1);
  EXPECT_NE(summary(catalog).find("cubes without any: 1"), std::string::npos);
}

TEST_F(CamelsTest, ParametersBelongToTheirCubes) {
  Cube low;
  low.omega_m = 0.2;
  make("SB7_0", low);
  make("SB7_1", Cube{});
  const fs::path table = folder_ / "table.txt";
  std::ofstream(table) << "#Name Omega_m sigma_8\nSB7_1 0.3 0.7\n\nSB7_0 0.2 0.9\n";
  const Catalog catalog = read_camels(folder_, {.parameters = table});
  EXPECT_EQ(catalog.box_parameters.at("Omega_m"), (std::vector<double>{0.2, 0.3}));
  EXPECT_NEAR(catalog.cosmology.sigma_8, 0.8, 1e-12);
  for (const char* text :
       {"", "#Name a b\nSB7_0 1\n", "#Name a\nSB7_0 x\n", "#Name a\nSB7_0 1\n", "SB7_0 1\n",
        "SB7_0 1 2\nSB7_1 3 4\n", "#Name a a\nSB7_0 1 1\nSB7_1 1 1\n", "#\nSB7_0\nSB7_1\n",
        "#Name sigma_8\nSB7_0 0\nSB7_1 1\n", "#Name a\nSB7_0 1\nSB7_0 1\nSB7_1 1\n",
        "#Name Omega_m\nSB7_0 0.3\nSB7_1 0.3\n", "#Name h\nSB7_0 0.5\nSB7_1 0.6\n"}) {
    std::ofstream(table) << text;
    EXPECT_THROW(read_camels(folder_, {.parameters = table}), Error) << text;
  }
  EXPECT_THROW(read_camels(folder_, {.parameters = folder_ / "none.txt"}), Error);
}

TEST_F(CamelsTest, WrongFilesAreNamed) {
  expect_message({"holds no file"});
  EXPECT_THROW(read_camels(folder_ / "none"), Error);
  const fs::path path = make("SB7_0", Cube{});
  fs::resize_file(path, fs::file_size(path) / 2);
  expect_message({"SB7_0/groups_090.hdf5", "cut short"});
  std::ofstream(path) << "not HDF5";
  expect_message({"SB7_0/groups_090.hdf5", "not an HDF5 file"});
  {
    Hdf5File other = Hdf5File::create(path);
    other.write<float>("x", {1});
    other.commit();
  }
  expect_message({"SB7_0/groups_090.hdf5", "not a SUBFIND catalog"});
  for (const std::string dataset :
       {"Subhalo/SubhaloVmax", "Subhalo/SubhaloMassType", "Group/GroupFirstSub"}) {
    make("SB7_0", Cube{}, dataset);
    expect_message({"SB7_0/groups_090.hdf5", dataset, "no such object"});
  }
  const auto spoiled = [&](const std::function<void(Cube&)>& spoil) {
    Cube cube;
    spoil(cube);
    make("SB7_0", cube);
  };
  spoiled([](Cube& c) { c.claimed = 4; });
  expect_message({"SubhaloPos", "[3, 3]", "[4, 3]"});
  spoiled([](Cube& c) { c.claimed = -1; });
  expect_message({"-1 subhalos"});
  spoiled([](Cube& c) { c.group[1] = 7; });
  expect_message({"SubhaloGrNr row 1 is 7"});
  spoiled([](Cube& c) { c.first[0] = -1; });
  expect_message({"GroupFirstSub of group 0 is -1"});
  spoiled([](Cube& c) { c.vmax[1] = std::nanf(""); });
  expect_message({"SB7_0/groups_090.hdf5", "'vpeak'", "nan"});
  spoiled([](Cube& c) { c.stars[0] = -1; });
  expect_message({"'stellar_mass'"});
  spoiled([](Cube& c) { c.position[0] = 30000; });
  expect_message({"SB7_0/groups_090.hdf5' subhalo 0", "'x' is 30", "cube of 25"});
  spoiled([](Cube& c) { c.h = 0; });
  expect_message({"SB7_0/groups_090.hdf5"});
  make("SB7_0", Cube{});
  Cube other;
  other.box_size = 50000;
  make("SB7_1", other);
  expect_message({"SB7_1/groups_090.hdf5", "50", "SB7_0"});
}

TEST_F(CamelsTest, LinkedSimulationsAreFollowedOnce) {
  const auto link = [&](const char* to, const char* name) { fs::create_symlink(to, folder_ / "set" / name); };
  for (const char* name : {"store/a", "store/b", "store/c", "set/LH_0"}) make(name, Cube{});
  link("../store/a", "LH_1");
  fs::create_directories(folder_ / "set/LH_2");
  fs::create_symlink("../../store/b/groups_090.hdf5", folder_ / "set/LH_2/groups_090.hdf5");
  std::ofstream(folder_ / "set/LH_3") << "../store/c";  // a link where links could not be made
  std::ofstream(folder_ / "set/README") << "of this set/that set\n";
  link(".", "circle");
  link("LH_0", "again");
  const fs::path table = folder_ / "table.txt";
  std::ofstream(table) << "Name,A_SN1\r\nLH_0,0.1\r\nLH_1,0.2\r\nLH_2,0.3\r\nLH_3,0.4\r\n";
  link("nowhere", ".#README");
  link("nowhere", "README.old");
  make("set/.snapshot/LH_0", Cube{});
  std::ofstream(folder_ / "set/LH_0/where") << folder_ / "store";  // no relative path
  ImportReport report;
  const Catalog catalog = read_camels(folder_ / "set", {.parameters = table}, &report);
  EXPECT_EQ(catalog.box_parameters.at("A_SN1"), (std::vector<double>{0.1, 0.2, 0.3, 0.4}));
  std::string notes;
  for (const std::string& note : report.notes) notes += note + "\n";
  for (const char* part : {"again' was found before", "README.old' is a broken link",
                           "LH_3' is a text file that represents a link"})
    EXPECT_NE(notes.find(part), std::string::npos) << part << " | " << notes;
  fs::create_directories(folder_ / "set/LH_4");
  fs::create_symlink("nowhere", folder_ / "set/LH_4/groups_090.hdf5");
  expect_message({"LH_4/groups_090.hdf5", "broken link"});
}

TEST_F(CamelsTest, OneSnapshotPerFolderIsChosen) {
  for (const char* simulation : {"LH_0", "LH_1"})
    for (const char* name : {"groups_032.hdf5", "groups_033.hdf5"}) make(simulation, Cube{}, "", name);
  make("LH_2", Cube{}, "", "groups_033.hdf5");
  expect_message({"LH_0", "snapshots 32, 33", "--snapshot"});
  EXPECT_EQ(read_camels(folder_, {.snapshot = 33}).boxes, 3);
  ImportReport report;
  EXPECT_EQ(read_camels(folder_, {.snapshot = 32}, &report).boxes, 2);
  EXPECT_EQ(report.notes.at(0), "without snapshot 32: 1 of 3 folders");
  try {
    read_camels(folder_, {.snapshot = 7});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no snapshot 7; there are 32, 33"), std::string::npos)
        << error.what();
  }
  make("LH_2", Cube{}, "", "fof_subhalo_tab_033.hdf5");
  fs::remove_all(folder_ / "LH_0");
  fs::remove_all(folder_ / "LH_1");
  expect_message({"LH_2", "groups_033.hdf5", "fof_subhalo_tab_033.hdf5", "one catalog per folder"});
  fs::remove(folder_ / "LH_2/groups_033.hdf5");
  EXPECT_EQ(read_camels(folder_).boxes, 1);  // by its name until 2024
}

TEST_F(CamelsTest, UnitsAndCosmologyAsTheFileHasThem) {
  Cube a, b, mean;
  a.h = 0.6;
  b.h = 0.8;
  mean.h = 0.7;
  b.box_size = 25;  // Mpc/h, as in some converted files
  for (float& x : b.position) x /= 1000;
  make("SB28_0", a);
  make("SB28_1", b);
  ImportReport report;
  const Catalog catalog = read_camels(folder_, {}, &report);
  EXPECT_NEAR(catalog.cosmology.h, 0.7, 1e-12);
  EXPECT_EQ(catalog.box_parameters.at("h"), (std::vector<double>{0.6, 0.8}));
  EXPECT_NEAR(catalog.column("stellar_mass")[0] * 0.6, 2e10, 1e4);
  EXPECT_NEAR(catalog.column("stellar_mass")[2] * 0.8, 2e10, 1e4);
  EXPECT_FLOAT_EQ(static_cast<float>(catalog.column("x")[2]), 1.0f);
  EXPECT_EQ(catalog.box_size, 25);
  std::string notes;
  for (const std::string& note : report.notes) notes += note + "\n";
  EXPECT_NE(notes.find("h differs"), std::string::npos) << notes;
  EXPECT_NE(notes.find("BoxSize 25 is assumed to be in Mpc/h"), std::string::npos) << notes;
  EXPECT_NE(notes.find("sigma_8 is assumed to be 0.8"), std::string::npos) << notes;
  EXPECT_THROW(read_camels(folder_, {.rows = {.box_size = 100}}), Error);
  const fs::path table = folder_ / "table.txt";
  std::ofstream(table) << "#Name h sigma8\nSB28_0 0.6 0.7\nSB28_1 0.8 0.9\n";
  make("SB28_", mean);  // the first, and equal to the mean of all
  EXPECT_EQ(read_camels(folder_).box_parameters.at("h"), (std::vector<double>{0.7, 0.6, 0.8}));
  fs::remove_all(folder_ / "SB28_");
  const Catalog with_table = read_camels(folder_, {.parameters = table});
  EXPECT_EQ(with_table.box_parameters.at("h"), (std::vector<double>{0.6, 0.8}));
  EXPECT_NEAR(with_table.cosmology.sigma_8, 0.8, 1e-12);
}

TEST_F(CamelsTest, PositionsInAnotherUnitThanTheirBoxAreRead_OrRefused) {
  Cube mixed;
  mixed.box_size = 25;  // and positions in kpc/h
  make("a", mixed);
  EXPECT_EQ(read_camels(folder_).column("x")[0], 1);
  Cube wrong;
  wrong.vmax.assign(12, 200);
  wrong.mass.assign(12, 5);
  wrong.stars.assign(12, 1);
  wrong.group.assign(12, 0);
  wrong.position.assign(36, 12.5f);  // Mpc/h in a box of kpc/h
  wrong.claimed = 12;
  make("a", wrong);
  expect_message({"a/groups_090.hdf5", "BoxSize is 25000 kpc/h", "no position is above 12.5"});
}

TEST_F(CamelsTest, WhatIsDroppedNeedNotBeThere) {
  make("a", Cube{}, "Subhalo/SubhaloSFR");
  expect_message({"SubhaloSFR"});
  EXPECT_FALSE(read_camels(folder_, {.rows = {.drop = {"sfr"}}}).has("sfr"));
  make("a", Cube{}, "Subhalo/SubhaloGrNr");
  EXPECT_FALSE(read_camels(folder_, {.rows = {.drop = {"upid"}}}).has("upid"));
}

TEST_F(CamelsTest, SimulationsOfOneNameDoNotShareAParameter) {
  make("TNG/LH_0", Cube{});
  make("SIMBA/LH_0", Cube{});
  const fs::path table = folder_ / "table.txt";
  std::ofstream(table) << "#Name a\nLH_0 1\n";
  EXPECT_EQ(read_camels(folder_).boxes, 2);
  try {
    read_camels(folder_, {.parameters = table});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("would share the row 'LH_0'"), std::string::npos)
        << error.what();
  }
}

TEST_F(CamelsTest, NamesWithoutANumberAreReadToo) {
  make("a", Cube{}, "", "groups_z0.hdf5");
  EXPECT_EQ(read_camels(folder_).boxes, 1);
  Cube far;
  far.position[0] = std::numeric_limits<float>::infinity();
  make("a", far, "", "groups_z0.hdf5");
  expect_message({"groups_z0.hdf5' subhalo 0", "'x' is inf"});
  EXPECT_EQ(read_camels(folder_, {.rows = {.skip_bad_rows = true}}).rows(), 1);
}

TEST_F(CamelsTest, ABadValueNamesTheFileAndTheSubhalo) {
  make("SB7_0", Cube{});
  Cube bad;
  bad.vmax[1] = -5;
  make("SB7_1", bad);
  expect_message({"SB7_1/groups_090.hdf5' subhalo 1", "'vpeak' is -5", "--skip-bad-rows"});
  ImportReport report;
  EXPECT_EQ(read_camels(folder_, {.rows = {.skip_bad_rows = true}}, &report).rows(), 3);
  EXPECT_EQ(report.bad_rows, 1);
  EXPECT_EQ(read_camels(folder_, {.rows = {.drop = {"sfr", "upid"}, .skip_bad_rows = true}}).has("upid"),
            false);
}

// The whole set: totals against a count over the raw datasets that shares only HDF5 access with the reader.
TEST(CamelsData, TotalsAgreeWithADirectCount) {
  const fs::path folder = UMBRA_SOURCE_DIR "/../shared/data/camels";
  if (!fs::exists(folder / "SB7_0")) GTEST_SKIP() << "the CAMELS set is not here: " << folder;
  ImportReport report;
  const Catalog catalog =
      read_camels(folder, {.parameters = folder / "CosmoAstroSeed_Astrid_L25n256_SB7.txt"}, &report);
  std::int64_t rows = 0, fast = 0;
  std::vector<std::int64_t> counts(14, 0);
  for (std::int64_t box = 0; box < catalog.boxes; ++box) {
    const Hdf5File file = Hdf5File::open(folder / concat("SB7_", box) / "groups_090.hdf5");
    const auto vmax = file.read<float>("Subhalo/SubhaloVmax");
    const auto mass = file.read<float>("Subhalo/SubhaloMassType");
    rows += static_cast<std::int64_t>(vmax.size());
    for (std::size_t i = 0; i < vmax.size(); ++i) {
      fast += vmax[i] > 150;
      const double bin = (std::log10(double{mass[6 * i + 4]} * 1e10 / 0.6711) - 10.2) * 10;
      if (bin >= 0 && bin < 14) ++counts[static_cast<std::size_t>(bin)];
    }
    ASSERT_NEAR(catalog.box_parameters.at("Omega_m")[static_cast<std::size_t>(box)],
                file.attribute_number("Header", "Omega0"), 1e-6);
  }
  EXPECT_EQ(catalog.boxes, 896);
  for (const char* column : {"vdisp", "rmax", "angular_momentum"})
    EXPECT_EQ(std::ssize(catalog.column(column)), rows) << column;
  EXPECT_EQ(catalog.box_parameters.size(), 8u);
  EXPECT_EQ(catalog.rows(), rows);
  EXPECT_EQ(report.motionless, 0);
  std::int64_t fast_here = 0;
  for (const double v : catalog.column("vpeak")) fast_here += v > 150;
  EXPECT_EQ(fast_here, fast);
  EXPECT_NEAR(static_cast<double>(fast) / 896, 133, 2);  // from the set's description of its 1,024 cubes
  std::vector<std::int64_t> here(14, 0);
  for (const double m : catalog.column("stellar_mass")) {
    const double bin = (std::log10(m) - 10.2) * 10;
    if (bin >= 0 && bin < 14) ++here[static_cast<std::size_t>(bin)];
  }
  EXPECT_EQ(here, counts);
  const double described[14] = {15.16, 12.57, 10.44, 8.70, 6.82, 5.36, 4.28,
                                3.29,  2.36,  1.60,  1.18, 0.86, 0.54, 0.43};
  for (std::size_t bin = 0; bin < 14; ++bin)
    EXPECT_NEAR(static_cast<double>(here[bin]) / 896, described[bin], 0.1 + 0.02 * described[bin]) << bin;
}

}  // namespace
}  // namespace umbra
