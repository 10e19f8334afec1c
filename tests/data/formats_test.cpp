// Importers on tiny files written here, with the traps of the real ones: several blanks, mixed notations, ids
// beyond 32 bits, positions outside the cube, orphans, ids as floating-point text.
#include "data/catalogs/formats.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>

#include "engine/base/error.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

class FormatsTest : public ::testing::Test {
 protected:
  FormatsTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / concat("umbra_formats_", info->name(), "_", ::getpid());
    fs::create_directories(folder_);
  }
  ~FormatsTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  fs::path put(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  fs::path folder_;
};

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

const char* const kHlist =
    "#scale(0) id(1) upid(6) mvir(10) Vmax\\@Mpeak(74) x(17) y(18) z(19) Vpeak(62) Vacc(61) Macc(59) "
    "Spin(26) "
    "Halfmass_Scale(63)\n"
    "#Scale: scale factor of the halo.\n"
    "#Omega_M = 0.300000; Omega_L = 0.700000; h0 = 0.700000\n"
    "#Full box size = 100.000000 Mpc/h\n"
    "0.5   12569731224  -1   1.234e+10 1 10  20 100.5  200.5 190 9032500000 0.03 0.4\n"
    "0.5 7 12569731224 2e11 1 1.5 2.5 3.5 120 110 0 0.05 0\r\n"
    "\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST_F(FormatsTest, HlistByName) {
  ImportReport report;
  const Catalog c = read_hlist(put("hlist_0.5.list", kHlist), {}, &report);
  EXPECT_EQ(c.rows(), 2);
  EXPECT_EQ(report.read, 2);
  EXPECT_EQ(report.wrapped, 1);
  EXPECT_EQ(c.box_size, 100);
  EXPECT_EQ(c.cosmology.h, 0.7);
  EXPECT_EQ(c.cosmology.omega_m, 0.3);
  EXPECT_EQ(c.redshift, 1);
  EXPECT_EQ(c.columns.at("z"), (std::vector<double>{0.5, 3.5}));
  EXPECT_EQ(c.columns.at("vpeak"), (std::vector<double>{200.5, 120}));
  EXPECT_EQ(c.columns.at("macc"), (std::vector<double>{9032500000, 0}));
  EXPECT_EQ(c.columns.at("mvir"), (std::vector<double>{1.234e10, 2e11}));
  EXPECT_EQ(c.integers.at("id"), (std::vector<std::int64_t>{12569731224, 7}));
  EXPECT_EQ(c.integers.at("upid"), (std::vector<std::int64_t>{-1, 12569731224}));
  EXPECT_FALSE(c.has("stellar_mass"));
  EXPECT_EQ(read_hlist(folder_ / "hlist_0.5.list", {.min_vpeak = 150}).rows(), 1);
}

TEST_F(FormatsTest, HlistMistakesAreNamed) {
  const auto wrong = [&](const std::string& text, std::initializer_list<std::string> parts) {
    const fs::path path = put("h.list", text);
    expect_message([&] { read_hlist(path, {}); }, parts);
  };
  wrong("", {"h.list", "is empty"});
  wrong("1 2 3\n", {"h.list", "not an hlist", "'scale'"});
  wrong(replaced(kHlist, "Vpeak(62)", "Vbest(62)"), {"h.list", "'Vpeak'"});
  wrong(replaced(kHlist, "#Full box size", "#Full side"), {"h.list", "--box-size"});
  wrong(replaced(kHlist, "2.5 3.5", "2.5 3,5"), {"line 6", "'z'", "'3,5'"});
  wrong(replaced(kHlist, "0.05 0\r", "0.05"), {"line 6", "12 fields", "13"});
  wrong(replaced(kHlist, "0.5 7", "0.6 7"), {"line 6", "scale factor is 0.6"});
  wrong(replaced(kHlist, "0.5 7", "0.5 7.5"), {"line 6", "'id'", "integer"});
  wrong(replaced(kHlist, " 120 ", " nan "), {"vpeak", "nan"});
  wrong(replaced(kHlist, "0.5 7", std::string("0.5\0 7", 6)), {"line 6", "not text"});
  expect_message([&] { read_hlist(folder_ / "none", {}); }, {"none", "does not exist"});
  expect_message([&] { read_hlist(folder_, {}); }, {"is a folder"});
}

// One record, byte by byte at the published offsets.
std::string record(std::int64_t id, std::int32_t flags, float x, float vmp, float mass) {
  std::string bytes(128, '\x7f');  // nonsense in every field that is not used
  const auto set = [&](std::size_t offset, auto value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  };
  set(0, id);
  set(16, std::int64_t{-1});
  set(24, flags);
  set(32, x);
  set(36, 2.0f);
  set(40, 3.0f);
  set(56, vmp);
  set(64, 1e12f);
  set(68, 5e11f);
  set(100, 1.0f);  // the true stellar mass, not used
  set(108, 1.0f);
  set(112, mass);
  set(116, 0.25f);
  return bytes;
}

TEST_F(FormatsTest, UniverseMachineRecords) {
  const fs::path path = put("sfr.bin", record(7, 0, 1, 100, 1e10f) + record(8, 16, 1, 100, 1e10f) +
                                           record(9, 1, -0.5f, 300, 1e8f) + record(10, 0, 1, 50, 1e7f));
  ImportReport report;
  const Catalog c = read_um_bin(path, std::nullopt, {}, &report);
  EXPECT_EQ(report.read, 4);
  EXPECT_EQ(report.flagged, 1);
  EXPECT_EQ(report.wrapped, 1);
  EXPECT_EQ(c.box_size, 250);
  EXPECT_EQ(c.integers.at("id"), (std::vector<std::int64_t>{7, 9, 10}));
  EXPECT_EQ(c.columns.at("x"), (std::vector<double>{1, 249.5, 1}));
  EXPECT_EQ(c.columns.at("vpeak")[1], 300);
  EXPECT_EQ(c.columns.at("mpeak")[0], double{1e12f});
  EXPECT_EQ(c.columns.at("mvir")[0], double{5e11f});
  EXPECT_EQ(c.columns.at("stellar_mass")[0], double{1e10f});
  EXPECT_EQ(c.columns.at("sfr")[0], 0.25);
  const Catalog cut = read_um_bin(path, std::nullopt, {.min_vpeak = 150, .min_stellar_mass = 1e9});
  EXPECT_EQ(cut.integers.at("id"), (std::vector<std::int64_t>{7, 9}));
  EXPECT_EQ(read_um_bin(path, std::nullopt, {.min_vpeak = 150}).integers.at("id"),
            (std::vector<std::int64_t>{9}));
  fs::resize_file(path, 200);
  expect_message([&] { read_um_bin(path, std::nullopt, {}); }, {"sfr.bin", "200 bytes", "128"});
  expect_message([&] { read_um_bin(folder_ / "none", std::nullopt, {}); }, {"none", "does not exist"});
  put("sfr.bin", std::string(128, '\xff'));  // flags & 16 in every bit
  expect_message([&] { read_um_bin(path, std::nullopt, {}); }, {"sfr.bin", "no row is left of 1"});
  put("sfr.bin", record(7, 0, std::nanf(""), 100, 1e10f));
  expect_message([&] { read_um_bin(path, std::nullopt, {}); }, {"sfr.bin", "'x'", "nan"});
}

TEST_F(FormatsTest, UniverseMachineMergesByIdentity) {
  const fs::path path =
      put("sfr.bin", record(7, 0, 1, 100, 1e10f) + record(std::int64_t{1000000000000000001}, 0, 1, 90, 1e9f) +
                         record(12569731224, 0, 5, 180, 1e11f));
  const fs::path hlist = put("h.list", kHlist);
  ImportReport report;
  const Catalog c = read_um_bin(path, hlist, {.box_size = 100}, &report);
  EXPECT_EQ(report.unmatched, 1);
  EXPECT_EQ(c.integers.at("id"), (std::vector<std::int64_t>{7, 12569731224}));
  EXPECT_EQ(c.columns.at("vpeak"), (std::vector<double>{120, 200.5}));
  EXPECT_EQ(c.columns.at("spin"), (std::vector<double>{0.05, 0.03}));
  EXPECT_EQ(c.columns.at("stellar_mass"), (std::vector<double>{double{1e10f}, double{1e11f}}));
  EXPECT_EQ(c.columns.at("x"), (std::vector<double>{1, 5}));  // positions are the galaxies'
  EXPECT_EQ(c.redshift, 1);
  for (const std::string& note : report.notes) EXPECT_EQ(note.find("orphans"), std::string::npos) << note;
  const std::string galaxy = record(7, 0, 1, 100, 1e10f);
  const fs::path cut = put("cut.bin", galaxy + record(8, 0, 1, 90, 1e9f));
  read_um_bin(cut, hlist, {.box_size = 100}, &report);
  EXPECT_TRUE(std::any_of(report.notes.begin(), report.notes.end(), [](const std::string& note) {
    return note.starts_with("1 of the galaxies without a halo are no orphans");
  }));
  const fs::path twice = put("twice.bin", galaxy + galaxy);
  expect_message([&] { read_um_bin(twice, hlist, {.box_size = 100}); }, {"twice.bin", "galaxy 7 twice"});
  put("h.list", replaced(kHlist, "0.5 7", "0.5 12569731224"));
  expect_message([&] { read_um_bin(path, hlist, {}); }, {"12569731224", "twice"});
}

TEST_F(FormatsTest, MergedTableOfTheAuthors) {
  const fs::path path = put("merged.cache",
                            ",X,Y,Z,Vpeak,Mpeak,upid,obs_SM\n0,1.5,2,3,180.25,1e12,-1.0,3.5e10\n"
                            "1,250.5,2,3,160,2e12,2809272603.0,0.0\n");
  ImportReport report;
  const Catalog c = read_umml_csv(path, {}, &report);
  EXPECT_EQ(report.wrapped, 1);
  EXPECT_EQ(c.columns.at("x"), (std::vector<double>{1.5, 0.5}));
  EXPECT_EQ(c.integers.at("upid"), (std::vector<std::int64_t>{-1, 2809272603}));
  EXPECT_EQ(c.columns.at("stellar_mass"), (std::vector<double>{3.5e10, 0}));
  const auto wrong = [&](const std::string& text, std::initializer_list<std::string> parts) {
    put("merged.cache", text);
    expect_message([&] { read_umml_csv(path, {}); }, parts);
  };
  wrong("", {"merged.cache", "empty"});
  wrong("X,Y,Z\n1,2,3\n", {"merged.cache", "'Vpeak'"});
  wrong("X,Y,Z,Vpeak\n1,2,3\n", {"line 2", "3 fields"});
  wrong("X,Y,Z,Vpeak\n1,2,3,\n", {"line 2", "'Vpeak'", "''"});
  wrong("X,Y,Z,Vpeak\n1,2,3,0\n", {"'vpeak'", "above 0"});
  wrong("X,Y,Z,Vpeak\n", {"merged.cache", "no row is left of 0"});
}

struct HalotoolsRow {
  std::int64_t id, upid;
  float x, y, z, vpeak, rvir;
};

fs::path make_halotools(const fs::path& path, const char* redshift, double box) {
  const HalotoolsRow rows[] = {{1, -1, 1, 2, 3, 150, 0.2f},
                               {std::int64_t{1} << 40, 1, 4, 5, 99.5f, 250, 0.1f}};
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(HalotoolsRow));
  H5Tinsert(type, "halo_id", offsetof(HalotoolsRow, id), H5T_NATIVE_INT64);
  H5Tinsert(type, "halo_upid", offsetof(HalotoolsRow, upid), H5T_NATIVE_INT64);
  H5Tinsert(type, "halo_x", offsetof(HalotoolsRow, x), H5T_NATIVE_FLOAT);
  H5Tinsert(type, "halo_y", offsetof(HalotoolsRow, y), H5T_NATIVE_FLOAT);
  H5Tinsert(type, "halo_z", offsetof(HalotoolsRow, z), H5T_NATIVE_FLOAT);
  H5Tinsert(type, "halo_vpeak", offsetof(HalotoolsRow, vpeak), H5T_NATIVE_FLOAT);
  H5Tinsert(type, "halo_rvir", offsetof(HalotoolsRow, rvir), H5T_NATIVE_FLOAT);
  const hsize_t extent = 2;
  const hid_t table = H5Screate_simple(1, &extent, nullptr), scalar = H5Screate(H5S_SCALAR);
  const hid_t data = H5Dcreate2(file, "data", type, table, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows);
  const hid_t text = H5Tcopy(H5T_C_S1);  // halotools writes strings of variable length
  H5Tset_size(text, H5T_VARIABLE);
  const hid_t z = H5Acreate2(file, "redshift", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(z, text, &redshift);
  const hid_t side = H5Acreate2(file, "Lbox", H5T_NATIVE_DOUBLE, scalar, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(side, H5T_NATIVE_DOUBLE, &box);
  H5Aclose(side), H5Aclose(z), H5Tclose(text), H5Dclose(data), H5Sclose(scalar), H5Sclose(table),
      H5Tclose(type);
  H5Fclose(file);
  return path;
}

TEST_F(FormatsTest, HalotoolsTable) {
  const fs::path path = make_halotools(folder_ / "halos.hdf5", "0.5000", 100);
  const Catalog c = read_halotools(path, {});
  EXPECT_EQ(c.box_size, 100);
  EXPECT_EQ(c.redshift, 0.5);
  EXPECT_EQ(c.columns.at("z"), (std::vector<double>{3, 99.5}));
  EXPECT_EQ(c.columns.at("vpeak"), (std::vector<double>{150, 250}));
  EXPECT_EQ(c.integers.at("id"), (std::vector<std::int64_t>{1, std::int64_t{1} << 40}));
  EXPECT_EQ(read_halotools(path, {.min_vpeak = 200}).rows(), 1);
  make_halotools(path, "soon", 100);
  expect_message([&] { read_halotools(path, {}); }, {"halos.hdf5", "redshift", "'soon'"});
  make_halotools(path, "0.0000", 0);
  expect_message([&] { read_halotools(path, {}); }, {"halos.hdf5", "box_size is 0"});
  fs::resize_file(path, 1000);
  expect_message([&] { read_halotools(path, {}); }, {"halos.hdf5", "cut short"});
}

}  // namespace
}  // namespace umbra
