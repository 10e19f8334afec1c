// Tables of other programs: found by their content, with columns of any names and units; and the messages for all that a
// user may get wrong.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>

#include "data/catalogs/table.h"
#include "data/tables/table.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/file_test.h"
#include "tests/fixtures/fits_bytes.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

const ImportOptions kBox{.box_size = 100};

bool notes(const ImportReport& report, const std::string& part) {
  for (const std::string& note : report.notes)
    if (note.find(part) != std::string::npos) return true;
  return false;
}

class TableImportTest : public FileTest {
 protected:
  fs::path put(const std::string& name, const std::string& bytes) const {
    put_bytes(path(name), bytes);
    return path(name);
  }
  Catalog csv(const std::string& text, const TableOptions& options, ImportReport* report = nullptr) const {
    return read_table(put("t.csv", text), options, report);
  }
  void expect_refused(const std::string& text, const TableOptions& options,
                      std::initializer_list<std::string> parts) const {
    expect_message([&] { csv(text, options); }, parts);
  }
  // The halos of kCsv as datasets of a group.
  fs::path hdf5(const std::string& name, const std::string& group) const {
    Hdf5File file = Hdf5File::create(path(name));
    add_halos(file, group);
    file.commit();
    return path(name);
  }
  static void add_halos(Hdf5File& file, const std::string& group) {
    file.write<double>(group + "/Pos", {1000, 2000, 3000, 99500, 100500, 6000}, Shape{2, 3});
    file.set_attribute(group + "/Pos", "units", "kpc/h");
    file.write<float>(group + "/Vmax", {210.5f, 180.f});
    file.write<double>(group + "/logM", {10.5, 9.5});
    file.set_attribute(group + "/logM", "unit", "log10(Msun/h)");
    file.write<std::int64_t>(group + "/ID", {12569731224, 8});
  }
};

const std::string kCsv =
    "X,Y,Z,Vmax,logM,ID\n"
    "1,2,3,210.5,10.5,12569731224\n"
    "99.5,100.5,6,180,9.5,8\n";
const std::string kColumns = "vpeak=Vmax,stellar_mass=10**logM";

TEST_F(TableImportTest, ForeignNamesAndLogarithms) {
  ImportReport report;
  const Catalog c = csv(kCsv, {.columns = kColumns, .rows = kBox}, &report);
  EXPECT_EQ(c.rows(), 2);
  EXPECT_EQ(report.read, 2);
  EXPECT_EQ(report.wrapped, 1);
  EXPECT_EQ(c.columns.at("x"), (std::vector<double>{1, 99.5}));
  EXPECT_EQ(c.columns.at("y"), (std::vector<double>{2, 0.5}));
  EXPECT_EQ(c.columns.at("vpeak"), (std::vector<double>{210.5, 180}));
  EXPECT_EQ(c.columns.at("stellar_mass"), (std::vector<double>{std::pow(10.0, 10.5), std::pow(10.0, 9.5)}));
  EXPECT_EQ(c.integers.at("id"), (std::vector<std::int64_t>{12569731224, 8}));
  EXPECT_EQ(c.boxes, 1);
  EXPECT_TRUE(notes(report, "column X read as x"));
  EXPECT_TRUE(notes(report, "those of a catalog: x y z Mpc/h, vpeak km/s, stellar_mass Msun"));
  EXPECT_TRUE(notes(report, "not in the file, assumed: h = 0.678"));
  EXPECT_NE(c.source.find("t.csv: " + kColumns), std::string::npos) << c.source;
}

// The same rows in every other form that is read give the same catalog.
TEST_F(TableImportTest, EveryFormatGivesTheSameCatalog) {
  const Catalog expected = csv(kCsv, {.columns = kColumns, .rows = kBox});
  const auto same = [&](const fs::path& file, const TableOptions& options) {
    const Catalog c = read_table(file, options);
    EXPECT_EQ(c.columns, expected.columns) << file;
    EXPECT_EQ(c.integers, expected.integers) << file;
  };
  const auto text = [&](const char* name, const std::string& bytes) {
    same(put(name, bytes), {.columns = kColumns, .rows = kBox});
  };
  std::string rows = kCsv.substr(kCsv.find('\n') + 1), blanks = kCsv;
  std::replace(blanks.begin(), blanks.end(), ',', '\t');
  text("tabs.dat", blanks);
  std::replace(blanks.begin(), blanks.end(), '\t', ' ');
  text("hash.txt", "# a remark\n# " + blanks);
  text("semicolons", [&] {
    std::string other = kCsv;
    std::replace(other.begin(), other.end(), ',', ';');
    return other;
  }());
  text("quoted.csv", "\"X\",\"Y\",\"Z\",\"Vmax\",\"logM\",\"ID\"\r\n" + rows);
  text("numpy.txt", "# X,Y,Z,Vmax,logM,ID\n" + blanks.substr(blanks.find('\n') + 1));
  text("numbers.txt", "# X(1) Y(2) Z(3) Vmax(4) logM(5) ID(6)\n" + blanks.substr(blanks.find('\n') + 1));
  gzFile gz = gzopen(path("t.gz").c_str(), "wb");
  gzwrite(gz, kCsv.data(), static_cast<unsigned>(kCsv.size()));
  gzclose(gz);
  same(path("t.gz"), {.columns = kColumns, .rows = kBox});
  ImportReport report;
  const Catalog unnamed =
      read_table(put("none.txt", rows),
                 {.columns = "x=c1,y=c2,z=c3,vpeak=c4,stellar_mass=10**c5,id=c6", .rows = kBox}, &report);
  EXPECT_EQ(unnamed.columns, expected.columns);
  EXPECT_EQ(unnamed.integers, expected.integers);
  EXPECT_TRUE(notes(report, "c1 to c6"));
}

TEST_F(TableImportTest, UnitsOfTheFileAreConverted) {
  ImportReport report;
  const TableOptions options{
      .columns = "x=Pos[0],y=Pos[1],z=Pos[2],vpeak=Vmax,stellar_mass=logM", .h = 0.5, .rows = kBox};
  const Catalog c = read_table(hdf5("halos.bin", "Subhalo"), options, &report);
  EXPECT_EQ(c.columns.at("x"), (std::vector<double>{1, 99.5}));
  EXPECT_EQ(c.columns.at("vpeak"), (std::vector<double>{210.5, 180}));
  EXPECT_DOUBLE_EQ(c.columns.at("stellar_mass")[0], std::pow(10.0, 10.5) / 0.5);
  EXPECT_EQ(c.integers.at("id"), (std::vector<std::int64_t>{12569731224, 8}));
  EXPECT_EQ(c.cosmology.h, 0.5);
  EXPECT_TRUE(notes(report, "column x converted from kpc/h to Mpc/h"));
  EXPECT_TRUE(notes(report, "column stellar_mass converted from log10(Msun/h) to Msun"));
  TableOptions without = options;
  without.h.reset();
  expect_message([&] { read_table(path("halos.bin"), without); },
                 {"stellar_mass is in log10(Msun/h)", "--h 0.7"});
  // Units in the names of columns, and units that the user gives.
  const std::string text =
      "x (kpc/h),y[kpc/h],z(kpc/h),vpeak,Mvir [1e10 Msun/h],m\n1000,2000,3000,200,5,10.5\n";
  const Catalog named =
      csv(text, {.columns = "stellar_mass=m", .units = "stellar_mass=log10(Msun)", .rows = kBox});
  EXPECT_EQ(named.columns.at("x"), (std::vector<double>{1}));
  EXPECT_TRUE(named.source.ends_with("t.csv: stellar_mass=m; units stellar_mass=log10(Msun)"))
      << named.source;
  EXPECT_EQ(named.columns.at("y"), (std::vector<double>{2}));
  EXPECT_EQ(named.columns.at("mvir"), (std::vector<double>{5e10}));
  EXPECT_EQ(named.columns.at("stellar_mass"), (std::vector<double>{std::pow(10.0, 10.5)}));
}

TEST_F(TableImportTest, AnHdf5FileSaysWhereItsTableIs) {
  const TableOptions options{.columns = "x=Pos[0]/1000,y=Pos[1]/1000,z=Pos[2]/1000,vpeak=Vmax", .rows = kBox};
  EXPECT_EQ(read_table(hdf5("one.h5", "a/b"), options).rows(), 2);
  Hdf5File file = Hdf5File::create(path("two.h5"));
  add_halos(file, "a");
  add_halos(file, "b");
  file.set_attribute("/", "BoxSize", 100000.0);
  file.set_attribute("/", "HubbleParam", 0.7);
  file.set_attribute("a", "Redshift", 0.5);
  file.commit();
  expect_message([&] { read_table(path("two.h5"), options); }, {"several tables: 'a', 'b'", "--group a"});
  TableOptions chosen = options;
  chosen.group = "a";
  chosen.columns = "x=Pos[0],y=Pos[1],z=Pos[2],vpeak=Vmax";
  chosen.rows.box_size.reset();
  const Catalog c = read_table(path("two.h5"), chosen);
  EXPECT_DOUBLE_EQ(c.box_size, 100);  // in the file in kpc/h, as the positions
  EXPECT_EQ(c.cosmology.h, 0.7);
  EXPECT_EQ(c.redshift, 0.5);
  chosen.h = 0.6;
  expect_message([&] { read_table(path("two.h5"), chosen); }, {"h = 0.7", "--h says 0.6"});
  chosen.group = "c";
  expect_message([&] { read_table(path("two.h5"), chosen); }, {"two.h5", "no group or dataset 'c'"});
}

TEST_F(TableImportTest, FilesOfAstropyAndPandas) {
  const std::string ecsv =
      "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: X, unit: kpc, datatype: float64}\n"
      "# - {name: Y, unit: kpc, datatype: float64}\n# - {name: Z, unit: kpc, datatype: float64}\n"
      "# - {name: Vpeak, unit: km / s, datatype: float64, description: \"fast}\n# schema: astropy-2.0\n"
      "X Y Z Vpeak\n1000 2000 3000 210.5\n";
  const Catalog c = csv(ecsv, {.h = 0.5, .rows = kBox});
  EXPECT_EQ(c.columns.at("z"), (std::vector<double>{1.5}));
  EXPECT_EQ(c.columns.at("vpeak"), (std::vector<double>{210.5}));
  Hdf5File file = Hdf5File::create(path("frame.h5"));
  add_halos(file, "df");
  file.set_attribute("df", "pandas_type", "frame");
  file.commit();
  expect_message([&] { read_table(path("frame.h5"), {.rows = kBox}); },
                 {"frame.h5", "pandas' to_hdf", "to_csv"});
}

TEST_F(TableImportTest, ACatalogIsATableToo) {
  Catalog catalog;
  catalog.box_size = 50;
  catalog.boxes = 3;
  catalog.cosmology.h = 0.7;
  for (const char* axis : {"x", "y", "z"}) catalog.columns[axis] = {1, 2, 3};
  catalog.columns["vpeak"] = {200, 210, 220};
  catalog.integers["box"] = {0, 1, 2};
  catalog.integers["upid"] = {-1, 5, -1};
  write_catalog(path("c.h5"), catalog);
  const Catalog c = read_table(path("c.h5"), {.columns = "mvir=vpeak**3", .group = "halos"});
  EXPECT_EQ(c.box_size, 50);
  EXPECT_EQ(c.boxes, 3);
  EXPECT_EQ(c.cosmology.h, 0.7);
  EXPECT_EQ(c.integers, catalog.integers);
  EXPECT_EQ(c.columns.at("mvir"), (std::vector<double>{8e6, 9261e3, 10648e3}));
}

TEST_F(TableImportTest, Fits) {
  if (!can_read_fits()) GTEST_SKIP() << "this build cannot read FITS: CFITSIO (libcfitsio-dev) was not found";
  const std::string halos = fits_table("HALOS",
                                       {{"POS", "kpc/h", {1000, 2000, 3000, 99500, 100500, 6000}, 3},
                                        {"Vpeak", "km / s", {210.5, 180}},
                                        {"MSTAR", "solMass", {3e10, 3e9}}},
                                       fits_value("BOXSIZE", "100000.0") + fits_value("HUBBLE", "70.0"));
  const fs::path file = put("halos[1].dat", fits_file(halos));  // CFITSIO gives brackets a meaning
  const TableOptions options{.columns = "x=POS[0],y=pos[1],z=POS[2],stellar_mass=MSTAR"};
  ImportReport report;
  const Catalog c = read_table(file, options, &report);
  EXPECT_EQ(c.columns.at("x"), (std::vector<double>{1, 99.5}));
  EXPECT_EQ(c.columns.at("z"), (std::vector<double>{3, 6}));
  EXPECT_EQ(c.columns.at("vpeak"), (std::vector<double>{210.5, 180}));
  EXPECT_EQ(c.columns.at("stellar_mass"), (std::vector<double>{3e10, 3e9}));
  EXPECT_DOUBLE_EQ(c.box_size, 100);
  EXPECT_DOUBLE_EQ(c.cosmology.h, 0.7);
  EXPECT_TRUE(notes(report, "column POS[1] read as pos[1]"));
  const fs::path two = put("two.fits", fits_file(halos + fits_table("OTHER", {{"a", "", {1, 2}}})));
  expect_message([&] { read_table(two, options); }, {"two.fits", "'HALOS', 'OTHER'", "--group"});
  TableOptions chosen = options;
  chosen.group = "halos";
  EXPECT_EQ(read_table(two, chosen).columns, c.columns);
  chosen.group = "1";
  EXPECT_EQ(read_table(two, chosen).columns, c.columns);
  chosen.group = "none";
  expect_message([&] { read_table(two, chosen); }, {"no table 'none'"});
  expect_message([&] { read_table(put("cut.fits", fits_file(halos).substr(0, 7000)), options); },
                 {"cut.fits"});
}

TEST_F(TableImportTest, OtherFilesAreNamed) {
  const auto wrong = [&](const std::string& bytes, std::initializer_list<std::string> parts) {
    expect_message([&] { read_table(put("halos", bytes), {.rows = kBox}); }, parts);
  };
  wrong("PAR1\x15\x04",
        {"Parquet", "import pandas", "pandas.read_parquet('", "to_csv('halos.csv', index=False)"});
  wrong("\x93NUMPY\x01", {"NumPy", "savetxt"});
  wrong(std::string("\x01\x00\x02\x03", 4), {"not a table"});
  wrong("", {"is empty"});
  wrong("{\"a\": 1}", {"not a table"});
  expect_message([&] { read_table(path("missing"), {.rows = kBox}); }, {"missing", "does not exist"});
  expect_message([&] { read_table(folder_, {.rows = kBox}); }, {"is a folder"});
}

TEST_F(TableImportTest, MistakesGetTheWordsToType) {
  const TableOptions good{.columns = kColumns, .rows = kBox};
  expect_refused(kCsv, {.rows = kBox},
                 {"t.csv", "no column 'vpeak'", "--columns vpeak=NAME", "X Y Z Vmax logM ID"});
  expect_refused(kCsv, {.columns = "vpeak=vmaxx", .rows = kBox},
                 {"no column 'vmaxx'", "did you mean 'Vmax'?"});
  expect_refused(kCsv, {.columns = "vpaek=Vmax", .rows = kBox},
                 {"--columns", "no column 'vpaek'", "'vpeak'"});
  expect_refused(kCsv, {.columns = "vpeak=Vmax,id=ID+1", .rows = kBox}, {"id=ID+1", "not a calculation"});
  expect_refused(kCsv, {.columns = "vpeak=200", .rows = kBox}, {"vpeak=200", "not a number alone"});
  expect_refused(kCsv, {.columns = kColumns}, {"--box-size"});
  expect_refused(kCsv, {.columns = kColumns, .units = "x=furlong", .rows = kBox}, {"'furlong'", "kpc/h"});
  expect_refused(kCsv, {.columns = kColumns, .units = "spin=1", .rows = kBox}, {"'spin' is not read"});
  expect_refused(kCsv, {.columns = kColumns, .units = "kpc/h", .rows = kBox}, {"'kpc/h'", "COLUMN=UNIT"});
  expect_refused(kCsv, {.columns = kColumns, .group = "halos", .rows = kBox}, {"--group is for HDF5"});
  expect_refused("x,X,y,z,vpeak\n1,2,3,4,200\n", {.columns = "y=Y,vpeak=VPEAK,spin=sPin", .rows = kBox},
                 {"'sPin'"});
  expect_refused("x,y,z,Vpeak,VPEAK\n1,2,3,200,200\n", {.rows = kBox}, {"'Vpeak' and 'VPEAK'", "'vpeak'"});
  expect_refused(kCsv + "1,2,3\n", good, {"line 4", "3 fields"});
  expect_refused(kCsv + "1,2,3,fast,9,9\n", good, {"line 4", "'Vmax'", "'fast'", "--skip-bad-rows"});
  expect_refused(kCsv + "1,2,3,-5,9,9\n", good, {"line 4", "'vpeak'", "-5"});
  expect_refused(kCsv + "1000,2,3,200,9,9\n", good, {"line 4", "far outside", "--units"});
  expect_refused("x,y,z,vpeak,name\n1,2,3,200,abc\n", {.columns = "mvir=name", .rows = kBox},
                 {"line 2", "'abc'"});
}

TEST_F(TableImportTest, LogarithmsAreRecognised) {
  expect_refused(kCsv, {.columns = "vpeak=Vmax,stellar_mass=logM", .rows = kBox},
                 {"'stellar_mass' is from 9.5 to 10.5", "logarithms", "--columns stellar_mass=10**logM",
                  "--units stellar_mass=log10(Msun)"});
  expect_refused(kCsv, {.columns = "vpeak=Vmax,mvir=logM+1", .rows = kBox}, {"--columns mvir=10**(logM+1)"});
  expect_refused("x,y,z,vpeak,mvir\n1,2,3,200,120\n", {.rows = kBox},
                 {"largest mvir is 120 Msun/h", "--units, e.g. mvir=1e10 Msun/h"});
  const std::string masses = "x,y,z,vpeak,stellar_mass\n1,2,3,200,0\n1,2,3,200,3e10\n";
  EXPECT_EQ(csv(masses, {.rows = kBox}).columns.at("stellar_mass"), (std::vector<double>{0, 3e10}));
}

TEST_F(TableImportTest, RowsAreCutSkippedAndDropped) {
  const std::string text = kCsv + "5,6,7,nan,9,9\n5,6,7,bad,9,9\n5,6,7,170,9,9\n";
  ImportReport report;
  TableOptions options{.columns = kColumns, .rows = kBox};
  options.rows.skip_bad_rows = true;
  EXPECT_EQ(csv(text, options, &report).rows(), 3);
  EXPECT_EQ(report.bad_rows, 2);
  EXPECT_EQ(report.read, 5);
  options.rows.min_vpeak = 175;
  EXPECT_EQ(csv(text, options).integers.at("id"), (std::vector<std::int64_t>{12569731224, 8}));
  options.rows.min_vpeak = 200;
  EXPECT_EQ(csv(text, options).rows(), 1);
  options.rows.min_stellar_mass = 1e9;  // either is enough
  EXPECT_EQ(csv(text, options).rows(), 3);
  options.rows.drop = {"id", "stellar_mass"};
  options.rows.min_stellar_mass = 0;
  const Catalog dropped = csv(text, options);
  EXPECT_FALSE(dropped.has("id"));
  EXPECT_FALSE(dropped.has("stellar_mass"));
  // A row without a number in a column that the user did not name leaves out that column.
  const Catalog holes = csv("x,y,z,vpeak,spin\n1,2,3,200,\n1,2,3,200,0.1\n", {.rows = kBox}, &report);
  EXPECT_FALSE(holes.has("spin"));
  EXPECT_TRUE(notes(report, "'spin' is left out"));
}

}  // namespace
}  // namespace umbra
