// Catalogs: round trips, positions are wrapped, and every impossible value is named.
#include "data/catalogs/catalog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <set>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/catalog_file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

using CatalogTest = CatalogFileTest;

Catalog sample() {
  Catalog catalog;
  catalog.box_size = 10;
  catalog.boxes = 2;
  catalog.redshift = 0.5;
  catalog.source = "a test";
  catalog.columns = {{"x", {1, 2.123456789012, 9.99}},
                     {"y", {0, 5, 5}},
                     {"z", {3, 3, 3}},
                     {"vpeak", {150, 200, 300.5}},
                     {"stellar_mass", {0, 0x1p33, 0x1p39}}};
  catalog.integers = {
      {"id", {std::int64_t{1} << 50, 2, 3}}, {"upid", {-1, std::int64_t{1} << 50, -1}}, {"box", {0, 0, 1}}};
  catalog.box_parameters = {{"A_SN1", {0.5, 2}}};
  return catalog;
}

void expect_message(const std::function<void()>& body, std::initializer_list<std::string> parts) {
  try {
    body();
    ADD_FAILURE() << "no umbra::Error was thrown";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const auto& part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << part << " | " << message;
  }
}

void expect_invalid(const std::function<void(Catalog&)>& spoil, std::initializer_list<std::string> parts) {
  Catalog catalog = sample();
  spoil(catalog);
  expect_message([&] { validate(catalog, "file 'c.h5'"); }, parts);
  expect_message([&] { validate(catalog, "file 'c.h5'"); }, {"c.h5"});
}

TEST_F(CatalogTest, ComesBackFromDisk) {
  const Catalog out = sample();
  write_catalog(path(), out);
  CatalogReport report;
  const Catalog in = read_catalog(path(), &report);
  EXPECT_EQ(report.wrapped, 0);
  EXPECT_EQ(in.columns, out.columns);  // positions keep 64 bits, the other values here fit into 32
  EXPECT_EQ(in.integers, out.integers);
  EXPECT_EQ(in.box_parameters, out.box_parameters);
  EXPECT_EQ(in.box_size, 10);
  EXPECT_EQ(in.boxes, 2);
  EXPECT_EQ(in.redshift, 0.5);
  EXPECT_EQ(in.source, "a test");
  EXPECT_EQ(in.cosmology.h, 0.678);
  const Hdf5File file = Hdf5File::open(path());
  EXPECT_EQ(file.attribute_text("halos/stellar_mass", "unit"), "Msun");
  EXPECT_EQ(file.describe("halos/vpeak").item_size, 4u);
  EXPECT_EQ(file.describe("halos/x").item_size, 8u);
}

TEST_F(CatalogTest, AnEmptyCatalogIsACatalog) {
  Catalog catalog;
  catalog.box_size = 25;
  catalog.columns = {{"x", {}}, {"y", {}}, {"z", {}}, {"vpeak", {}}};
  write_catalog(path(), catalog);
  EXPECT_EQ(read_catalog(path()).rows(), 0);
}

TEST_F(CatalogTest, EveryKindHasAUniqueName) {
  std::set<std::string_view> names;
  for (const ColumnKind& kind : column_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_EQ(&column_kind(kind.name), &kind);
    EXPECT_FALSE(kind.unit.empty());
  }
  EXPECT_EQ(names.size(), 18u);
  expect_message([] { column_kind("Vpeak"); }, {"Vpeak", "vpeak", "sfr"});
}

TEST_F(CatalogTest, PositionsAreWrappedAndCountedByRow) {
  Catalog catalog = sample();
  catalog.columns["x"] = {-0.25, 10, 9.5};
  catalog.columns["y"] = {10.5, 0, -1e-20};
  const CatalogReport report = validate(catalog, "here");
  EXPECT_EQ(report.wrapped, 3);  // the first row twice outside, counted once
  EXPECT_EQ(catalog.columns["x"], (std::vector<double>{9.75, 0, 9.5}));
  EXPECT_EQ(catalog.columns["y"],
            (std::vector<double>{0.5, 0, 0}));  // just below 0 rounds to the side, which is 0
  EXPECT_EQ(validate(catalog, "here").wrapped, 0);
}

TEST_F(CatalogTest, ImpossibleValuesAreNamed) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  expect_invalid([&](Catalog& c) { c.columns["vpeak"][1] = nan; }, {"'vpeak'", "row 1", "nan", "above 0"});
  expect_invalid([&](Catalog& c) { c.columns["vpeak"][2] = 0; }, {"'vpeak'", "row 2"});
  expect_invalid([&](Catalog& c) { c.columns["stellar_mass"][0] = -1e9; },
                 {"'stellar_mass'", "-1e+09", "0 or above"});
  expect_invalid([&](Catalog& c) { c.columns["stellar_mass"][0] = inf; }, {"'stellar_mass'", "inf"});
  expect_invalid([&](Catalog& c) { c.columns["x"][0] = nan; }, {"'x'", "row 0"});
  expect_invalid([&](Catalog& c) { c.columns["z"][0] = 2500; }, {"'z'", "row 0", "in Mpc/h"});
  // Up to a twentieth of the side is accepted.
  expect_invalid([&](Catalog& c) { c.columns["z"][1] = 10.51; }, {"'z'", "row 1", "10.51", "cube of 10"});
  expect_invalid([&](Catalog& c) { c.columns["z"][1] = -0.51; }, {"'z'", "row 1", "-0.51", "cube of 10"});
  expect_invalid([&](Catalog& c) { c.columns["y"].pop_back(); }, {"'y'", "2 rows", "3"});
  expect_invalid([&](Catalog& c) { c.columns.erase("y"); }, {"'y'", "missing", "vpeak"});
  expect_invalid([&](Catalog& c) { c.integers["box"][2] = 2; }, {"'box'", "row 2", "0 to 1"});
  expect_invalid([&](Catalog& c) { c.integers["box"][2] = -1; }, {"'box'", "row 2"});
  expect_invalid([&](Catalog& c) { c.integers.erase("box"); }, {"2 cubes", "'box' is missing"});
  expect_invalid([&](Catalog& c) { c.integers["upid"][0] = -2; }, {"'upid'", "row 0"});
  expect_invalid([&](Catalog& c) { c.integers["id"].push_back(1); }, {"'id'", "4 rows"});
  expect_invalid([&](Catalog& c) { c.columns["mass"] = {1, 2, 3}; }, {"'mass'"});
  expect_invalid([&](Catalog& c) { c.columns["upid"] = {1, 2, 3}; }, {"'upid'", "integers"});
  expect_invalid([&](Catalog& c) { c.integers["vpeak"] = {1, 2, 3}; }, {"'vpeak'", "floating-point"});
  for (const double size : {0.0, -25.0, 25000.0, nan, inf})
    expect_invalid([&](Catalog& c) { c.box_size = size; }, {"box_size", "12000"});
  expect_invalid([&](Catalog& c) { c.boxes = 0; }, {"boxes"});
  expect_invalid([&](Catalog& c) { c.boxes = std::int64_t{1} << 60; }, {"boxes"});
  expect_invalid([&](Catalog& c) { c.cosmology.h = 67.8; }, {"h is 67.8"});
  expect_invalid([&](Catalog& c) { c.cosmology.omega_m = nan; }, {"cosmology"});
  expect_invalid([&](Catalog& c) { c.redshift = -1; }, {"redshift"});
  expect_invalid([&](Catalog& c) { c.box_parameters["A_SN1"].pop_back(); }, {"A_SN1", "2 cubes"});
}

TEST_F(CatalogTest, AnInvalidCatalogIsNotWritten) {
  Catalog catalog = sample();
  catalog.columns["vpeak"][0] = -1;
  expect_message([&] { write_catalog(path(), catalog); }, {"catalog.h5", "'vpeak'"});
  catalog = sample();
  catalog.columns["stellar_mass"][0] = 1e39;
  expect_message([&] { write_catalog(path(), catalog); }, {"'stellar_mass'", "1e+39", "sane size"});
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(CatalogTest, MissingColumnsAreNamed) {
  Catalog catalog = sample();
  catalog.columns.erase("stellar_mass");
  EXPECT_FALSE(catalog.has("stellar_mass"));
  expect_message([&] { catalog.column("stellar_mass"); },
                 {"'stellar_mass'", "present: x y z vpeak upid id box"});
  expect_message([&] { catalog.integer_column("x"); }, {"'x'", "integers"});
}

// Files as a user of h5py might make them.
TEST_F(CatalogTest, ForeignFilesAreExplained) {
  const auto make = [&](const std::function<void(Hdf5File&)>& fill) {
    Hdf5File file = Hdf5File::create(path());
    fill(file);
    file.commit();
  };
  const auto positions = [](Hdf5File& file) {
    for (const char* axis : {"x", "y", "z"}) file.write<double>(std::string("halos/") + axis, {1, 2});
    file.set_attribute("/", "box_size", 10.0);
    file.set_attribute("/", "h", 0.7);
  };
  make(positions);
  EXPECT_EQ(read_catalog(path()).rows(), 2);
  make([&](Hdf5File& file) { file.write<float>("x", {1}); });
  expect_message([&] { read_catalog(path()); }, {"catalog.h5", "not a catalog", "halos"});
  make([&](Hdf5File& file) { file.make_group("halos"); });
  expect_message([&] { read_catalog(path()); }, {"catalog.h5", "box_size", "missing"});
  make([&](Hdf5File& file) {
    positions(file);
    file.write<double>("halos/vpeak", {1, 2, 3});
  });
  expect_message([&] { read_catalog(path()); }, {"catalog.h5", "'vpeak'", "3 rows"});
  make([&](Hdf5File& file) {
    positions(file);
    file.write<double>("halos/vpeak", {1, 2}, Shape{2, 1});
  });
  expect_message([&] { read_catalog(path()); }, {"'vpeak'", "[2, 1]"});
  make([&](Hdf5File& file) {
    positions(file);
    file.write<double>("halos/mvir", {1, 2});
    file.set_attribute("halos/mvir", "unit", "Msun");
  });
  expect_message([&] { read_catalog(path()); }, {"'mvir'", "'Msun'", "'Msun/h' is expected"});
  make([&](Hdf5File& file) {
    positions(file);
    file.write<double>("halos/id", {1, 2});
  });
  expect_message([&] { read_catalog(path()); }, {"halos/id", "integers are expected"});
}

std::vector<char> bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_F(CatalogTest, DamageIsAnErrorOrHarmless) {
  write_catalog(path(), sample());
  const std::vector<char> good = bytes_of(path());
  const Rng rng(2, Purpose::kTest);
  int errors = 0;
  for (std::uint64_t i = 0; i < 240; ++i) {
    std::vector<char> bad = good;
    const auto at = static_cast<std::size_t>(rng.below(2 * i, bad.size()));
    if (i % 3 == 0) bad.resize(at);
    if (i % 3 == 1) bad[at] = static_cast<char>(bad[at] ^ (1 << rng.below(2 * i + 1, 8)));
    if (i % 3 == 2)
      std::fill_n(bad.begin() + static_cast<long>(at), std::min<std::size_t>(24, bad.size() - at), '\0');
    std::ofstream(path(), std::ios::binary).write(bad.data(), static_cast<std::streamsize>(bad.size()));
    try {
      const Catalog in = read_catalog(path());
      EXPECT_EQ(in.columns, sample().columns) << "mutation " << i << " at " << at;
      EXPECT_EQ(in.integers, sample().integers) << "mutation " << i << " at " << at;
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 80);  // at least the truncations
}

}  // namespace
}  // namespace umbra
