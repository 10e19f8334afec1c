// A catalog read in pieces of any size gives the same numbers and error messages as one read at once.
#include "data/catalogs/catalog_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "tests/fixtures/catalog_file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRowsHere = 50;

using CatalogReaderTest = CatalogFileTest;

Catalog sample() {
  Catalog catalog;
  catalog.box_size = 10;
  catalog.boxes = 3;
  catalog.source = "a test";
  const Rng rng(11, Purpose::kTest);
  for (std::uint64_t i = 0; i < kRowsHere; ++i) {
    for (std::uint64_t axis = 0; axis < 3; ++axis)
      catalog.columns[std::string(1, "xyz"[axis])].push_back(10 * rng.uniform(8 * i + axis));
    catalog.columns["vpeak"].push_back(100 + std::floor(200 * rng.uniform(8 * i + 3)));
    catalog.columns["mvir"].push_back(std::floor(1e6 * rng.uniform(8 * i + 4)));
    catalog.integers["box"].push_back(static_cast<std::int64_t>(rng.below(8 * i + 5, 3)));
    catalog.integers["id"].push_back(static_cast<std::int64_t>(i));
  }
  catalog.box_parameters["A"] = {1, 2, 3};
  return catalog;
}

// Writes without the checks of write_catalog.
void write_unchecked(const fs::path& path, const Catalog& catalog) {
  Hdf5File file = Hdf5File::create(path);
  file.set_attribute("/", "box_size", catalog.box_size);
  file.set_attribute("/", "boxes", catalog.boxes);
  file.set_attribute("/", "h", catalog.cosmology.h);
  for (const auto& [name, values] : catalog.columns) file.write("halos/" + name, values);
  for (const auto& [name, values] : catalog.integers) file.write("halos/" + name, values);
  file.commit();
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const std::set<std::string> kEverything = {"vpeak", "mvir", "id", "upid", "stellar_mass"};

TEST_F(CatalogReaderTest, PiecesMakeTheWhole) {
  Catalog out = sample();
  out.columns["x"][4] = -0.25;
  out.columns["y"][4] = 10.5;
  out.columns["z"][49] = 10;
  write_catalog(path(), out);
  CatalogReport report;
  const Catalog whole = read_catalog(path(), &report);
  EXPECT_EQ(report.wrapped, 2);
  for (const std::int64_t rows : {1, 7, 25, 49, 50, 51, 1 << 30}) {
    CatalogReader reader(path(), kEverything, rows);
    EXPECT_EQ(reader.rows(), 50);
    EXPECT_EQ(reader.header().box_parameters, out.box_parameters);
    EXPECT_EQ(reader.header().source, "a test");
    EXPECT_TRUE(reader.header().has("mvir"));
    EXPECT_FALSE(reader.header().has("sfr"));
    Catalog joined, part;
    while (reader.next(part)) {
      EXPECT_LE(part.rows(), rows);
      EXPECT_EQ(part.boxes, 3);
      for (const auto& [name, values] : part.columns)
        joined.columns[name].insert(joined.columns[name].end(), values.begin(), values.end());
      for (const auto& [name, values] : part.integers)
        joined.integers[name].insert(joined.integers[name].end(), values.begin(), values.end());
    }
    EXPECT_FALSE(reader.next(part));
    EXPECT_EQ(joined.columns, whole.columns) << rows;
    EXPECT_EQ(joined.integers, whole.integers) << rows;
    EXPECT_EQ(reader.report().wrapped, 2) << rows;
  }
}

TEST_F(CatalogReaderTest, OnlyWhatIsWantedIsRead) {
  Catalog out = sample();
  out.columns["mvir"][3] = -1;
  write_unchecked(path(), out);
  CatalogReader reader(path(), {"vpeak"});
  Catalog part = sample();  // its previous content is gone
  ASSERT_TRUE(reader.next(part));
  EXPECT_EQ(part.columns.size(), 4U);
  EXPECT_EQ(part.integers.size(), 1U);
  EXPECT_NE(message_of([&] { read_catalog(path()); }), "");
  EXPECT_NE(message_of([&] { CatalogReader(path(), {}, 0); }), "");
}

TEST_F(CatalogReaderTest, TheSameSentencesAsTheWhole) {
  const std::vector<std::function<void(Catalog&)>> spoils = {
      [](Catalog& c) { c.columns["vpeak"][41] = std::nan(""); },
      [](Catalog& c) { c.columns["vpeak"][7] = 0; },
      [](Catalog& c) { c.columns["mvir"][49] = 1e30; },
      [](Catalog& c) { c.columns["x"][20] = 25; },
      [](Catalog& c) { c.integers["box"][30] = 3; },
      [](Catalog& c) {
        c.integers["upid"] = std::vector<std::int64_t>(kRowsHere, -1), c.integers["upid"][33] = -2;
      },
      [](Catalog& c) { c.columns["y"].pop_back(); },
      [](Catalog& c) { c.columns.erase("z"); },
      [](Catalog& c) { c.integers.erase("box"); },
      [](Catalog& c) { c.columns["id"].assign(kRowsHere, 1), c.integers.erase("id"); },
      [](Catalog& c) { c.box_size = 0; },
      [](Catalog& c) { c.boxes = 0; },
      [](Catalog& c) { c.cosmology.h = 70; },
  };
  for (std::size_t i = 0; i < spoils.size(); ++i) {
    Catalog bad = sample();
    spoils[i](bad);
    write_unchecked(path(), bad);
    const std::string whole = message_of([&] { read_catalog(path()); });
    const std::string pieces = message_of([&] {
      CatalogReader reader(path(), kEverything, 6);
      for (Catalog part; reader.next(part);) continue;
    });
    EXPECT_NE(whole, "") << i;
    EXPECT_EQ(whole, pieces) << i;
  }
  Catalog bad = sample();
  spoils[0](bad);
  write_unchecked(path(), bad);
  EXPECT_NE(message_of([&] { read_catalog(path()); }).find("row 41 is nan"), std::string::npos);
}

// A file as a user of h5py might make it, with these columns.
void write_columns(const std::filesystem::path& path, const std::vector<std::string>& columns,
                   double scale = 1) {
  Hdf5File file = Hdf5File::create(path);
  file.set_attribute("/", "box_size", 10 * scale);
  file.set_attribute("/", "h", 0.7);
  for (const std::string& column : columns)
    file.write<double>("halos/" + column, {1 * scale, 2 * scale, 1.5 * scale});
  file.commit();
}

TEST_F(CatalogReaderTest, NamesAreReadWithoutRegardToCase) {
  write_columns(path(), {"X", "y", "Z", "Vpeak", "extra"});
  CatalogReport report;
  const Catalog catalog = read_catalog(path(), &report);
  EXPECT_EQ(catalog.columns.at("vpeak"), (std::vector<double>{1, 2, 1.5}));
  EXPECT_EQ(report.remarks(), (std::vector<std::string>{"column X read as x", "column Z read as z",
                                                        "column Vpeak read as vpeak"}));
  EXPECT_EQ(catalog.unread, std::vector<std::string>{"extra"});
  write_columns(path(), {"x", "y", "z", "vpeak", "VPEAK"});
  EXPECT_EQ(read_catalog(path()).unread, std::vector<std::string>{"VPEAK"});  // the same letters come first
  write_columns(path(), {"x", "y", "z", "Vpeak", "VPEAK"});
  const std::string two = message_of([&] { read_catalog(path()); });
  EXPECT_NE(two.find("both 'VPEAK' and 'Vpeak' could be 'vpeak'"), std::string::npos) << two;
}

TEST_F(CatalogReaderTest, TheClosestNameIsInTheMessage) {
  write_columns(path(), {"x", "y", "pos_z", "vpeak"});
  EXPECT_NE(message_of([&] { read_catalog(path()); }).find("'z' is missing; present: x y vpeak"),
            std::string::npos);
  write_columns(path(), {"x", "y", "z", "v_peak", "StellarMass"});
  const Catalog catalog = read_catalog(path());
  EXPECT_NE(message_of([&] { catalog.column("vpeak"); }).find("did you mean 'v_peak'?"), std::string::npos);
  EXPECT_EQ(catalog.hint("stellar_mass"), "; did you mean 'StellarMass'?");
}

TEST_F(CatalogReaderTest, ATableThatIsNotACatalogIsNamed) {
  std::ofstream(path()) << "x,y,z,vpeak\n1,2,3,200\n";
  EXPECT_NE(message_of([&] { read_catalog(path()); }).find("is not a catalog, which is HDF5; info says"),
            std::string::npos);
}

TEST_F(CatalogReaderTest, LogarithmsOfMassesAreRefused) {
  for (const char* mass : {"stellar_mass", "Mvir", "mpeak", "macc"}) {
    write_columns(path(), {"x", "y", "z", mass}, 6);
    const std::string message = message_of([&] { read_catalog(path()); });
    EXPECT_NE(message.find("is from 6 to 12, which are logarithms"), std::string::npos) << message;
    EXPECT_NE(message.find(concat("=10**", mass, " --out NEW.h5")), std::string::npos) << message;
    EXPECT_EQ(message_of([&] { CatalogReader(path(), {}).header(); }), "");
  }
  write_columns(path(), {"x", "y", "z", "vpeak", "spin"}, 6);  // not masses
  EXPECT_EQ(read_catalog(path()).rows(), 3);
  write_columns(path(), {"x", "y", "z", "mvir"}, 1);  // too small for logarithms
  EXPECT_EQ(read_catalog(path()).rows(), 3);
}

TEST_F(CatalogReaderTest, DamageIsAnErrorOrHarmless) {
  write_catalog(path(), sample());
  const Catalog good_catalog = read_catalog(path());
  std::ifstream stream(path(), std::ios::binary);
  const std::vector<char> good{std::istreambuf_iterator<char>(stream), {}};
  const Rng rng(3, Purpose::kTest);
  int errors = 0;
  for (std::uint64_t i = 0; i < 150; ++i) {
    std::vector<char> bad = good;
    const auto at = static_cast<std::size_t>(rng.below(2 * i, bad.size()));
    if (i % 3 == 0) bad.resize(at);
    if (i % 3 == 1) bad[at] = static_cast<char>(bad[at] ^ (1 << rng.below(2 * i + 1, 8)));
    if (i % 3 == 2)
      std::fill_n(bad.begin() + static_cast<long>(at), std::min<std::size_t>(24, bad.size() - at), '\0');
    std::ofstream(path(), std::ios::binary).write(bad.data(), static_cast<std::streamsize>(bad.size()));
    try {
      CatalogReader reader(path(), kEverything, 20);
      std::size_t row = 0;
      for (Catalog part; reader.next(part); row += static_cast<std::size_t>(part.rows()))
        for (const auto& [name, values] : part.columns)
          EXPECT_TRUE(std::equal(values.begin(), values.end(),
                                 good_catalog.column(name).begin() + static_cast<long>(row)))
              << "mutation " << i << " at " << at << " of " << name;
      EXPECT_EQ(row, kRowsHere);
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 50);  // at least the truncations
}

}  // namespace
}  // namespace umbra
