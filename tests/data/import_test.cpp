// Reports of users of other programs: files that are a little different, contradict themselves or have one
// bad value. None of them may become a wrong catalog without a message.
#include <gtest/gtest.h>
#include <hdf5.h>
#include <zlib.h>

#include <cmath>
#include <cstring>

#include "data/catalogs/formats.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

const std::string kNames =
    "#scale(0) id(1) upid(6) mvir(10) x(17) y(18) z(19) Spin(26) Macc(59) Vacc(61) Vpeak(62)\n";
const std::string kHeader =
    "#Omega_M = 0.3; Omega_L = 0.7; h0 = 0.7\n"
    "#Full box size = 50.0 Mpc/h\n";
const std::string kRows =
    "1.0 7 -1 1e12 10 20 30 0.03 1e12 200 210\n"
    "1.0 8 7 1e11 11 21 31 0.04 1e11 120 130\n"
    "1.0 9 -1 2e12 12 22 32 0.05 2e12 250 260\n";
const std::string kHlist = kNames + kHeader + kRows;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class ImportTest : public FileTest {
 protected:
  fs::path put(const std::string& name, const std::string& bytes) const {
    put_bytes(path(name), bytes);
    return path(name);
  }
  Catalog hlist(const std::string& text, const ImportOptions& options = {},
                ImportReport* report = nullptr) const {
    return read_hlist(put("h.list", text), options, report);
  }
  void expect_refused(const std::string& text, std::initializer_list<std::string> parts,
                      const ImportOptions& options = {}) const {
    expect_message([&] { hlist(text, options); }, parts);
    expect_message([&] { hlist(text, options); }, {"h.list"});
  }
};

bool notes(const ImportReport& report, const std::string& part) {
  for (const std::string& note : report.notes)
    if (note.find(part) != std::string::npos) return true;
  return false;
}

TEST_F(ImportTest, FieldsAndNamesAreAsMany) {
  expect_refused(replaced(kHlist, " 210\n", " 210 5\n"), {"line 4", "12 fields", "11 columns"});
  expect_refused(replaced(kHlist, " 250 260\n", " 250\n"), {"line 6", "10 fields", "11 columns"});
  expect_refused(replaced(kHlist, " Spin(26)", ""), {"line 4", "11 fields", "10 columns"});
  expect_refused(replaced(kHlist, "Spin(26)", "x(26)"), {"'x'", "more than once"});
  const fs::path csv = put("t.csv", "X,Y,Z,Vpeak\n1,10,20,30,210\n");
  expect_message([&] { read_umml_csv(csv, {}); }, {"t.csv' line 2", "5 fields", "4 columns"});
}

TEST_F(ImportTest, CutsAreOfColumnsThatAreThereAndLeaveSomething) {
  EXPECT_EQ(hlist(kHlist, {.min_vpeak = 200}).rows(), 2);
  expect_refused(kHlist, {"no row is left of 3"}, {.min_vpeak = 1000});
  expect_refused(kNames + kHeader, {"no row is left of 0"});
  expect_refused(kHlist, {"no column for stellar_mass", "--min-stellar-mass"}, {.min_stellar_mass = 1e9});
  for (const ImportOptions& options :
       {ImportOptions{.min_vpeak = NAN}, ImportOptions{.min_stellar_mass = NAN}})
    expect_message([&] { hlist(kHlist, options); }, {"not a number"});
}

TEST_F(ImportTest, LineEndsOfCrAloneAreNamed) {
  std::string old = kHlist;
  for (char& c : old)
    if (c == '\n') c = '\r';
  expect_refused(old, {"line 1", "carriage return"});
}

TEST_F(ImportTest, ABoxIsNotTakenOnTrust) {
  expect_refused(kHlist, {"50 Mpc/h", "--box-size says 500"}, {.box_size = 500});
  EXPECT_EQ(hlist(kHlist, {.box_size = 50}).box_size, 50);
  expect_refused(replaced(kHlist, "size = 50.0", "size = 25.0"), {"'z'", "30", "cube of 25"});
  expect_refused(replaced(kHlist, "50.0 Mpc/h", "50.0 Mpc"), {"line 3", "'mpc'", "Mpc/h is expected"});
  EXPECT_EQ(hlist(replaced(kHlist, "50.0 Mpc/h", "50000 kpc/h")).box_size, 50);
  expect_refused(kNames + kRows, {"--box-size"});
  const fs::path named = put("hlist_0.50000.list", kHlist);
  expect_message([&] { read_hlist(named, {}); }, {"scale factor 0.5 in its name", "1 in its rows"});
}

TEST_F(ImportTest, CosmologyInItsSpellings) {
  for (const char* header : {"#Om = 0.31; Ol = 0.69; h = 0.66\n#Box size: 50.0 Mpc/h\n",
                             "# omega_m: 0.31 ; h0 : 0.66\n#box size=50\n",
                             "#Omega0 = 0.31\n#Hubble = 66.0\n#Full Box  Size = 50 Mpc/h\n"}) {
    ImportReport report;
    const Catalog c = hlist(kNames + header + kRows, {}, &report);
    EXPECT_EQ(c.cosmology.omega_m, 0.31) << header;
    EXPECT_EQ(c.cosmology.h, 0.66) << header;
    EXPECT_EQ(c.box_size, 50) << header;
    EXPECT_TRUE(notes(report, "sigma_8 = 0.823")) << header;
    EXPECT_FALSE(notes(report, "omega_m")) << header;
  }
  ImportReport report;
  hlist(kNames + kRows, {.box_size = 50}, &report);
  EXPECT_TRUE(notes(report, "h = 0.678"));
}

TEST_F(ImportTest, HeadersThatContradictThemselvesAreRefused) {
  ImportReport report;
  const Catalog c =
      hlist(kNames + "#Cosmology: Om = 0.31, h = 0.66, Ob = 0.05\n#Comoving box size = 50 cMpc/h\n" + kRows,
            {}, &report);
  EXPECT_EQ(c.cosmology.omega_m, 0.31);
  EXPECT_EQ(c.cosmology.h, 0.66);
  EXPECT_EQ(c.cosmology.omega_b, 0.05);
  EXPECT_EQ(c.box_size, 50);
  expect_refused(kNames + kHeader + "#Box size: 60 Mpc/h\n" + kRows, {"line 4", "box size is 60", "says 50"});
  expect_refused(kNames + kHeader + "#h = 0.6\n" + kRows, {"line 4", "h is 0.6", "says 0.7"});
  EXPECT_EQ(hlist(kNames + kHeader + "#Particle mass in Msun / h = 3\n#Units: Masses in Msun / h\n" + kRows)
                .cosmology.h,
            0.7);
}

TEST_F(ImportTest, IdsKeepAllDigits) {
  for (const auto& [text, id] : {std::pair<const char*, std::int64_t>{"+9007199254740993", 9007199254740993},
                                 {"9007199254740993.0", 9007199254740993},
                                 {"9223372036854775807", 9223372036854775807},
                                 {"8e3", 8000},
                                 {"8.", 8}})
    EXPECT_EQ(hlist(replaced(kHlist, "1.0 8 7", "1.0 " + std::string(text) + " 7")).integers.at("id")[1], id)
        << text;
  for (const char* text : {"9.1e15", "8.5", "1e300", ".5", "."})
    expect_refused(replaced(kHlist, "1.0 8 7", "1.0 " + std::string(text) + " 7"),
                   {"line 5", "'id'", "integer"});
}

TEST_F(ImportTest, MissingNumbersAreBadValues) {
  for (const char* missing : {"NA", "None", "-", "NaN", "\\N"}) {
    ImportReport report;
    const Catalog c = hlist(replaced(kHlist, " 0.04 ", " " + std::string(missing) + " "), {}, &report);
    EXPECT_FALSE(c.has("spin")) << missing;
    EXPECT_TRUE(notes(report, "'spin' is left out") && notes(report, "line 5")) << missing;
    expect_refused(replaced(kHlist, " 120 130", " 120 " + std::string(missing)),
                   {"line 5", "peak", "--skip-bad-rows"});
  }
  const fs::path csv = put("t.csv", "X,Y,Z,Vpeak,Spin\n1,2,3,200,\n4,5,6,200,0.5\n");
  EXPECT_FALSE(read_umml_csv(csv, {}).has("spin"));
  EXPECT_EQ(read_umml_csv(csv, {.skip_bad_rows = true}).rows(), 1);
}

TEST_F(ImportTest, RowsThatAreCutAreNotJudged) {
  const std::string spoiled = replaced(replaced(kHlist, "7 1e11 11 21", "7 nan nan 90"), " 0.04", " nan");
  for (const bool skip : {false, true}) {
    ImportReport report;
    const Catalog c = hlist(spoiled, {.min_vpeak = 200, .skip_bad_rows = skip}, &report);
    EXPECT_EQ(c.rows(), 2);
    EXPECT_TRUE(c.has("spin") && c.has("mvir"));
    EXPECT_EQ(report.bad_rows, 0);
  }
  const fs::path csv = put("t.csv", "X,Y,Z,Vpeak,Mpeak,obs_SM\n1,2,3,100,nan,1e8\n4,5,6,200,1e12,1e10\n");
  EXPECT_TRUE(read_umml_csv(csv, {.min_vpeak = 150}).has("mpeak"));
  EXPECT_EQ(read_umml_csv(csv, {.min_vpeak = 150, .min_stellar_mass = 1e9}).rows(), 1);
  put("t.csv", "X,Y,Z,Vpeak,obs_SM\n1,2,3,nan,1e8\n4,5,6,200,1e10\n");
  expect_message([&] { read_umml_csv(csv, {.min_vpeak = 150}); }, {"line 2", "vpeak"});
  expect_refused(replaced(kHlist, "12 22 32", "12 22 60"), {"line 6", "'z' is 60", "cube of 50"},
                 {.skip_bad_rows = true});
}

TEST_F(ImportTest, RemarksBeforeTheNamesAndUnitsBehindThem) {
  EXPECT_EQ(hlist("# filtered by hand\n#\n" + kHlist).columns, hlist(kHlist).columns);
  const fs::path csv = put("t.csv", "# made by me\nX,Y,Z,Vpeak\n1,2,3,200\n");
  EXPECT_EQ(read_umml_csv(csv, {}).rows(), 1);
  put("t.csv", "X(kpc/h),Y(kpc/h),Z(kpc/h),Vpeak\n1,2,3,200\n");
  expect_message([&] { read_umml_csv(csv, {}); }, {"t.csv", "no column 'X'"});
  EXPECT_EQ(hlist(kHlist + kNames + kRows).rows(), 6);  // two parts of one catalog, concatenated
  expect_refused(kHlist + replaced(kNames, "x(17) y(18)", "y(18) x(17)") + kRows,
                 {"line 7", "second header line"});
  put("t.csv", "X,Y,Z,Vpeak,obs_SM\n1,2,3,200,10.4\n4,5,6,200,9.1\n");
  expect_message([&] { read_umml_csv(csv, {}); }, {"t.csv", "9.1 to 10.4", "logarithms", "import table"});
  for (const char* unit : {"Mpc / h", "h^-1 Mpc", "Mpc h^-1", "cMpc/h", "Mpc/h (comoving)", ""})
    EXPECT_EQ(hlist(replaced(kHlist, "50.0 Mpc/h", "50.0 " + std::string(unit))).box_size, 50) << unit;
}

TEST_F(ImportTest, ABoxThatIsNotFilledIsNoted) {
  std::string corner = kNames + kHeader;
  for (int i = 0; i < 1000; ++i) corner += concat("1.0 ", i, " -1 1e12 ", i % 10, " 2 3 0.03 1e12 200 210\n");
  ImportReport report;
  hlist(corner, {}, &report);
  EXPECT_TRUE(notes(report, "positions reach 9 Mpc/h of a box of 50"));
}

TEST_F(ImportTest, OnlyScaleFactorsInNamesAreBelieved) {
  for (const char* name : {"hlist_181.list", "hlist_1.0.list", "hlist_1.00000.list.bak", "hlist_z0.list"})
    EXPECT_EQ(read_hlist(put(name, kHlist), {}).rows(), 3) << name;
}

TEST_F(ImportTest, OrdinaryDecorations) {
  const Catalog plain = hlist(kHlist);
  std::string crlf;
  for (const char c : kHlist) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  std::string plus = replaced(replaced(kHlist, " 10 20", " +10 +2.0e+1"), "1.0 8", "+1.0 +8");
  const std::string quoted =
      replaced(replaced(kHlist, "#scale(0) id(1)", "\"scale(0)\" \"id(1)\""), " 8 7", " \"8\" 7");
  for (const std::string& text : {crlf, plus, quoted, "\xef\xbb\xbf" + kHlist,
                                  replaced(kHlist, "#scale", "# scale"), "\n\n" + kHlist}) {
    EXPECT_EQ(hlist(text).columns, plain.columns) << text;
    EXPECT_EQ(hlist(text).integers, plain.integers) << text;
  }
  const gzFile gz = ::gzopen(path("h.list.gz").c_str(), "wb");
  ::gzwrite(gz, kHlist.data(), static_cast<unsigned>(kHlist.size()));
  ::gzclose(gz);
  EXPECT_EQ(read_hlist(path("h.list.gz"), {}).columns, plain.columns);
  const fs::path csv = put("t.csv", "# \"X\",\"Y\",Z,Vpeak\n# a remark\n\"+1.5\",2,\"3\",200\n");
  EXPECT_EQ(read_umml_csv(csv, {}).columns.at("x"), std::vector<double>{1.5});
  put("t.csv", "X,Y,Z,Vpeak\n1,\"2,3,200\n");
  expect_message([&] { read_umml_csv(csv, {}); }, {"line 2", "quote"});
  put("t.csv", "X,Y,Z,Vpeak\n1,\"2\"2,3,200\n");
  expect_message([&] { read_umml_csv(csv, {}); }, {"line 2", "quoted field"});
  for (const char* number : {"++1", "+-1", "+", "1e", "0x10", "1,5"}) {
    put("t.csv", "X,Y,Z,Vpeak\n\"" + std::string(number) + "\",2,3,200\n");
    expect_message([&] { read_umml_csv(csv, {}); }, {"line 2", "'X'", number});
  }
}

TEST_F(ImportTest, OneBadValueInAColumnNobodyAskedFor) {
  const std::string bad = replaced(kHlist, " 0.04 ", " nan ");
  ImportReport report;
  const Catalog without = hlist(bad, {}, &report);
  EXPECT_EQ(without.rows(), 3);
  EXPECT_FALSE(without.has("spin"));
  EXPECT_TRUE(without.has("macc"));
  EXPECT_TRUE(notes(report, "'spin' is left out") && notes(report, "line 5") && notes(report, "nan"));
  ImportReport skipped;
  const Catalog rows = hlist(bad, {.skip_bad_rows = true}, &skipped);
  EXPECT_EQ(rows.integers.at("id"), (std::vector<std::int64_t>{7, 9}));
  EXPECT_EQ(rows.columns.at("spin"), (std::vector<double>{0.03, 0.05}));
  EXPECT_EQ(skipped.bad_rows, 1);
  ImportReport dropped;
  const Catalog drop = hlist(bad, {.drop = {"spin"}}, &dropped);
  EXPECT_EQ(drop.rows(), 3);
  EXPECT_FALSE(drop.has("spin"));
  EXPECT_FALSE(notes(dropped, "spin"));
  EXPECT_FALSE(hlist(replaced(kHlist, "8 7 1e11", "8 -5 1e11")).has("upid"));
}

TEST_F(ImportTest, ABadValueThatMattersNamesTheLine) {
  for (const char* value : {" nan", " -130", " 0", " inf", " 1e9"}) {
    expect_refused(replaced(kHlist, " 120 130", " 120" + std::string(value)),
                   {"line 5", "'vpeak'", "--skip-bad-rows"});
  }
  expect_refused(replaced(kHlist, " 11 21", " nan 21"), {"line 5", "'x'", "nan"});
  expect_refused(replaced(kHlist, " 0.04", " 0.O4"), {"line 5", "'Spin'", "'0.O4'", "--skip-bad-rows"});
  ImportReport report;
  const std::string three = replaced(replaced(kHlist, " 120 130", " 120 nan"), " 0.05", " 0.O5");
  EXPECT_EQ(hlist(three, {.skip_bad_rows = true}, &report).rows(), 1);
  EXPECT_EQ(report.bad_rows, 2);
  for (const char* column : {"x", "vpeak", "box"})
    expect_message([&] { hlist(kHlist, {.drop = {column}}); }, {column, "cannot be left out"});
  expect_message([&] { hlist(kHlist, {.drop = {"colour"}}); }, {"colour", "the columns are"});
}

// ---- UniverseMachine

std::string record(std::int64_t id, float x, float vmp, float mass, float sfr = 1, std::int32_t flags = 0) {
  std::string bytes(128, '\0');
  const auto set = [&](std::size_t offset, auto value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  };
  set(0, id), set(16, std::int64_t{-1}), set(24, flags), set(32, x), set(36, x), set(40, x), set(56, vmp);
  set(64, 1e12f), set(68, 5e11f), set(112, mass), set(116, sfr);
  return bytes;
}

TEST_F(ImportTest, UniverseMachineHasNoBoxOfItsOwn) {
  ImportReport report;
  EXPECT_EQ(read_um_bin(put("a.bin", record(7, 10, 200, 1e10f)), std::nullopt, {}, &report).box_size, 250);
  EXPECT_TRUE(notes(report, "250 Mpc/h is assumed") && notes(report, "redshift") && notes(report, "omega_m"));
  const fs::path far = put("b.bin", record(7, 10, 200, 1e10f) + record(8, 380, 200, 1e10f));
  expect_message([&] { read_um_bin(far, std::nullopt, {}); }, {"b.bin", "380", "--box-size"});
  EXPECT_EQ(read_um_bin(far, std::nullopt, {.box_size = 400}).rows(), 2);
  std::string corner;
  for (int i = 0; i < 1000; ++i) corner += record(i, 0.12f * static_cast<float>(i), 200, 1e10f);
  const fs::path small = put("c.bin", corner);
  expect_message([&] { read_um_bin(small, std::nullopt, {}); }, {"c.bin", "119.87", "250", "--box-size"});
  EXPECT_EQ(read_um_bin(small, std::nullopt, {.box_size = 125}).rows(), 1000);
  EXPECT_NEAR(
      read_um_bin(put("sfr_catalog_0.500000.bin", record(7, 10, 200, 1e10f)), std::nullopt, {}).redshift, 1,
      1e-12);
}

TEST_F(ImportTest, UniverseMachineWithBadNumbers) {
  const fs::path bin = put("a.bin", record(6, 9, 100, 1, 1, 16) + record(7, 10, 200, 1e10f) +
                                        record(8, 11, 0, 1e8f) + record(9, 12, 300, 1e10f, NAN));
  ImportReport report;
  const Catalog c = read_um_bin(bin, std::nullopt, {}, &report);
  EXPECT_EQ(c.integers.at("id"), (std::vector<std::int64_t>{7, 9}));
  EXPECT_FALSE(c.has("sfr"));
  EXPECT_EQ(report.motionless, 1);
  EXPECT_TRUE(notes(report, "'sfr' is left out") && notes(report, "record 3"));
  EXPECT_EQ(read_um_bin(bin, std::nullopt, {.skip_bad_rows = true}).rows(), 1);
  put("a.bin", record(7, 10, 200, 1e10f) + record(8, 11, 100, NAN));
  expect_message([&] { read_um_bin(bin, std::nullopt, {}); }, {"a.bin", "record 1", "'stellar_mass'", "nan"});
}

TEST_F(ImportTest, GalaxiesAndHalosBelongTogether) {
  const fs::path h = put("h.list", kHlist);
  const fs::path bin =
      put("a.bin", record(7, 10, 100, 1e10f) + record(9, 12, 100, 1e10f) + record(99, 1, 100, 1e9f));
  ImportReport report;
  const Catalog c = read_um_bin(bin, h, {}, &report);
  EXPECT_EQ(c.box_size, 50);  // as the halos say
  EXPECT_EQ(c.columns.at("vpeak"), (std::vector<double>{210, 260}));
  EXPECT_EQ(report.unmatched, 1);
  expect_message([&] { read_um_bin(bin, h, {.box_size = 250}); }, {"h.list", "50 Mpc/h", "250"});
  expect_message([&] { read_um_bin(bin, h, {.drop = {"id"}}); }, {"--drop id"});
  put("a.bin", record(7, 10, 100, 1e10f) + record(9, 200, 100, 1e10f));
  expect_message([&] { read_um_bin(bin, h, {}); }, {"a.bin", "200", "cube of 50"});
  std::string strangers;
  for (int i = 0; i < 500; ++i) strangers += record(1000 + i, 10, 100, 1e10f);
  put("a.bin", strangers);
  expect_message([&] { read_um_bin(bin, h, {}); }, {"a.bin", "h.list", "of 500 galaxies 0"});
  const fs::path early = put("sfr_catalog_0.501122.bin", record(7, 10, 100, 1e10f));
  expect_message([&] { read_um_bin(early, h, {}); }, {"0.501122", "h.list", "has 1"});
}

TEST_F(ImportTest, TheSameIdsOfAnotherSimulationAreNoticed) {
  std::string halos = kNames + kHeader, galaxies;
  for (int i = 0; i < 200; ++i) {
    halos += concat("1.0 ", i, " -1 1e12 ", i % 50, " ", i % 50, " ", i % 50, " 0.03 1e12 200 210\n");
    galaxies += record(i, static_cast<float>((i + 20) % 50), 100, 1e10f);
  }
  const fs::path h = put("h.list", halos), bin = put("a.bin", galaxies);
  expect_message([&] { read_um_bin(bin, h, {}); }, {"a.bin", "200 of 200", "h.list", "another simulation"});
}

// ---- halotools

TEST_F(ImportTest, AHalotoolsTableWithoutVelocityIsRefused) {
  const hid_t file = H5Fcreate(path("t.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcreate(H5T_COMPOUND, 12);
  const char* const names[] = {"halo_x", "halo_y", "halo_z"};
  for (std::size_t i = 0; i < 3; ++i) H5Tinsert(type, names[i], 4 * i, H5T_NATIVE_FLOAT);
  const hsize_t one = 1;
  const hid_t space = H5Screate_simple(1, &one, nullptr);
  H5Dclose(H5Dcreate2(file, "data", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space), H5Tclose(type), H5Fclose(file);
  expect_message([&] { read_halotools(path("t.h5"), {.box_size = 50}); }, {"t.h5", "halo_vpeak"});
}

}  // namespace
}  // namespace umbra
