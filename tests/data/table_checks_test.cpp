// What a table contains twice, in another type or in an unknown unit is not misread silently.
#include <gtest/gtest.h>

#include <algorithm>

#include "data/catalogs/table.h"
#include "data/tables/column_names.h"
#include "data/tables/table.h"
#include "data/tables/text_rows.h"
#include "data/tables/units.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/file_test.h"
#include "tests/fixtures/fits_bytes.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

const ImportOptions kBox{.box_size = 100};

class TableChecksTest : public FileTest {
 protected:
  fs::path put(const std::string& name, const std::string& bytes) const {
    put_bytes(path(name), bytes);
    return path(name);
  }
  // Two halos in a group; `add` adds to the file.
  template <class Add>
  fs::path hdf5(const Add& add) const {
    Hdf5File file = Hdf5File::create(path("halos.h5"));
    for (const char* axis : {"x", "y", "z"})
      file.write<double>(std::string("halos/") + axis, {1000, 2000}, Shape{2});
    file.write<double>("halos/vpeak", {200, 210}, Shape{2});
    add(file);
    file.commit();
    return path("halos.h5");
  }
};

const std::string kUnits = "x=kpc/h,y=kpc/h,z=kpc/h";

// The last number of a file that was cut short may have lost digits.
TEST_F(TableChecksTest, ALastLineWithoutALineBreakIsNoted) {
  const std::string text = "x,y,z,vpeak\n1,2,3,200\n4,5,6,210";
  const auto notes = [&](const std::string& bytes) {
    ImportReport report;
    read_table(put("t.csv", bytes), {.rows = kBox}, &report);
    return std::count(report.notes.begin(), report.notes.end(), kEndsWithinLine);
  };
  EXPECT_EQ(notes(text), 1);
  EXPECT_EQ(notes(text + "\n"), 0);
}

// In the groups of Gadget and AREPO "Hubble" is the constant in internal units.
TEST_F(TableChecksTest, TheConstantInInternalUnitsIsNotH) {
  for (const bool in_header : {false, true}) {
    const fs::path file = hdf5([&](Hdf5File& out) {
      out.write<double>("Header/none", {0}, Shape{1});
      out.write<double>("Parameters/none", {0}, Shape{1});
      if (in_header) out.set_attribute("Header", "HubbleParam", 0.6774);
      out.set_attribute("Parameters", "HubbleParam", 0.6774);
      out.set_attribute("Parameters", "Hubble", 0.1);
    });
    EXPECT_EQ(read_table(file, {.units = kUnits, .rows = kBox}).cosmology.h, 0.6774);
  }
  const fs::path alone = hdf5([](Hdf5File& out) {
    out.write<double>("Parameters/none", {0}, Shape{1});
    out.set_attribute("Parameters", "Hubble", 0.1);
  });
  EXPECT_FALSE(open_table(alone)->header().h.has_value());
}

TEST_F(TableChecksTest, TheValueClosestToTheTableCounts) {
  const fs::path file = hdf5([](Hdf5File& out) {
    out.write<double>("Parameters/none", {0}, Shape{1});
    out.set_attribute("halos", "Redshift", 0.5);
    out.set_attribute("/", "Redshift", 1.0);
    out.set_attribute("Parameters", "Redshift", 2.0);
  });
  EXPECT_EQ(open_table(file)->header().redshift, 0.5);
}

// The unit of a calculation is not that of the box size in the header.
TEST_F(TableChecksTest, ABoxSizeInAnUnknownUnitIsNotTaken) {
  const fs::path file = hdf5([](Hdf5File& out) { out.set_attribute("/", "BoxSize", 100000.0); });
  TableOptions options{.columns = "x=x/1000,y=y/1000,z=z/1000"};
  expect_message([&] { read_table(file, options); },
                 {"halos.h5", "box size in the file is 100000 in the unit of its positions", "--box-size"});
  options.rows = kBox;
  ImportReport report;
  const Catalog c = read_table(file, options, &report);
  EXPECT_EQ(c.box_size, 100);
  EXPECT_EQ(c.columns.at("x"), (std::vector<double>{1, 2}));
  bool noted = false;
  for (const std::string& note : report.notes)
    noted |= note.find("100000 in the unit of its positions") != std::string::npos;
  EXPECT_TRUE(noted);
  EXPECT_EQ(read_table(file, {.units = kUnits}).box_size, 100);  // in kpc/h, as x
}

// Without their numbers all cubes would be one.
TEST_F(TableChecksTest, CubesMayHaveFloatingPointNumbers) {
  for (const char* columns : {"", "box=box"}) {
    const auto boxes = [&](std::vector<float> numbers) {
      const fs::path file = hdf5([&](Hdf5File& out) {
        out.write<float>("halos/box", std::span<const float>(numbers), Shape{2});
        out.write<float>("halos/id", {1, 2}, Shape{2});
      });
      return read_table(file, {.columns = columns, .units = kUnits, .rows = kBox});
    };
    const Catalog c = boxes({0, 2});
    EXPECT_EQ(c.boxes, 3);
    EXPECT_EQ(c.integers.at("box"), (std::vector<std::int64_t>{0, 2}));
    EXPECT_FALSE(c.has("id"));
    expect_message([&] { boxes({0, 0.5f}); }, {"halos.h5", "box", "integer"});
  }
}

TEST_F(TableChecksTest, TheLargestIntegerIsNotTheNumberOfACube) {
  const fs::path file = put("t.csv", "x,y,z,vpeak,box\n1,2,3,200,9223372036854775807\n");
  expect_message([&] { read_table(file, {.rows = kBox}); }, {"t.csv", "'box' is 9223372036854775807"});
}

TEST_F(TableChecksTest, NumbersOfFitsAreNotTruncated) {
  if (!can_read_fits()) GTEST_SKIP() << "this build cannot read FITS: CFITSIO (libcfitsio-dev) was not found";
  const auto halos = [&](const FitsColumn& column) {
    return put(
        "halos.fits",
        fits_file(fits_table(
            "HALOS",
            {{"x", "", {1, 2}}, {"y", "", {1, 2}}, {"z", "", {1, 2}}, {"vpeak", "", {200, 210}}, column})));
  };
  ImportReport report;
  EXPECT_FALSE(read_table(halos({"id", "", {1.5, 2.5}}), {.rows = kBox}, &report).has("id"));
  expect_message(
      [&] {
        read_table(halos({"id", "", {1.5, 2.5}}), {.columns = "id=id", .rows = kBox});
      },
      {"halos.fits", "'id' has floating-point numbers, integers are expected"});
  for (const char form : {'K', 'U'})
    EXPECT_EQ(read_table(halos({"id", "", {7, 8}, 1, form}), {.rows = kBox}).integers.at("id"),
              (std::vector<std::int64_t>{7, 8}))
        << form;
  EXPECT_EQ(read_table(halos({"box", "", {0, 1}}), {.rows = kBox}).boxes, 2);
  expect_message([&] { read_table(halos({"box", "", {0, 0.5}}), {.rows = kBox}); }, {"halos.fits", "'box'"});
}

TEST_F(TableChecksTest, ThePrimaryHeaderOfFitsIsRead) {
  if (!can_read_fits()) GTEST_SKIP() << "this build cannot read FITS: CFITSIO (libcfitsio-dev) was not found";
  const std::string table = fits_table("HALOS", {{"x", "", {1, 2}}}, fits_value("HUBBLE", "70.0"));
  const fs::path file =
      put("halos.fits", fits_file(table, fits_value("BOXSIZE", "100.0") + fits_value("HUBBLE", "60.0")));
  EXPECT_EQ(open_table(file)->header().box_size, 100);
  EXPECT_DOUBLE_EQ(open_table(file)->header().h.value(), 0.7);  // the table's own
  EXPECT_EQ(open_table(file)->read({.numbers = {0}}).numbers[0], (std::vector<double>{1, 2}));
}

TEST_F(TableChecksTest, ANameIsRefusedIfTheTableHasItTwice) {
  const fs::path file = put("t.csv", "x,y,z,vpeak,vpeak\n1,2,3,200,300\n");
  expect_message([&] { read_table(file, {.rows = kBox}); }, {"t.csv", "'vpeak' is named more than once"});
  const std::vector<std::string> names{"X", "x", "Y"};
  EXPECT_EQ(find_name(names, "x", "here"), 1U);
}

TEST_F(TableChecksTest, PowersOfUnitsAreWhole) {
  for (const char* unit : {"10^10.5 Mpc/h", "mpc^-1.5", "h-1.5 mpc"}) EXPECT_FALSE(parse_unit(unit)) << unit;
  EXPECT_TRUE(parse_unit("h^-1.Mpc"));
}

TEST_F(TableChecksTest, PackedTextsGetTheWordsToType) {
  const auto wrong = [&](const std::string& bytes, std::initializer_list<std::string> parts) {
    expect_message([&] { read_table(put("halos", bytes), {.rows = kBox}); }, parts);
  };
  using namespace std::string_literals;
  wrong("\xfd"s + "7zXZ\0\0\x04"s, {"compressed with xz", "xzcat"});
  wrong("BZh91AY&SY\0\x01"s, {"compressed with bzip2", "bzcat"});
  wrong("\x28\xb5\x2f\xfd\x04\0"s, {"compressed with zstd", "zstdcat"});
  wrong("\xff\xfex\0,\0y\0\n\0"s, {"UTF-16", "iconv"});
  wrong("\xff\xfe\x01\0\0\0\0\0"s, {"not a table"});  // binary data with the same first bytes
}

TEST_F(TableChecksTest, CommentsMayBeIndented) {
  const fs::path file = put("t.txt", "x y z vpeak\n1 2 3 200\n # a remark\n\t# 1 2 3\n4 5 6 210\n");
  EXPECT_EQ(read_table(file, {.rows = kBox}).columns.at("x"), (std::vector<double>{1, 4}));
  EXPECT_EQ(open_table(file)->read({.numbers = {0}, .most_rows = 5}).numbers[0], (std::vector<double>{1, 4}));
}

}  // namespace
}  // namespace umbra
