// Catalogs in text form, and the binary records that are merged with them.
#include <cstring>

#include "data/catalogs/formats.h"
#include "data/catalogs/table.h"
#include "engine/base/error.h"
#include "tests/fixtures/fits_bytes.h"
#include "tests/mutated/seeds.h"

namespace umbra::mutated {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRows = 30;

std::int64_t id_of(std::int64_t row) {
  return 12'569'731'224 + row;
}

void make_hlist(const fs::path& path) {
  std::string text =
      "#scale(0) id(1) upid(6) mvir(10) Vmax\\@Mpeak(74) x(17) y(18) z(19) Vpeak(62) Vacc(61) Mpeak(60) "
      "Macc(59) Spin(26) Halfmass_Scale(63)\n"
      "#Scale: scale factor of the halo.\n"
      "#Omega_M = 0.300000; Omega_L = 0.700000; h0 = 0.700000\n"
      "#Full box size = 100.000000 Mpc/h\n";
  for (std::int64_t i = 0; i < kRows; ++i)
    text += concat("0.5   ", id_of(i), " ", i % 3 == 0 ? -1 : id_of(0), " 1.234e+10 1 ", 3 * i, " ",
                   1.5 * static_cast<double>(i), "  100.5 ", 150 + i, " 140 2e10 1.5e10 0.03 0.4",
                   i % 7 == 0 ? "\r\n" : "\n");
  write_file(path, text);
}

// Records of 128 bytes, by the published offsets.
void make_um_bin(const fs::path& path) {
  std::string bytes;
  for (std::int64_t i = 0; i < kRows; ++i) {
    std::string record(128, '\0');
    const auto set = [&](std::size_t offset, auto value) {
      std::memcpy(record.data() + offset, &value, sizeof value);
    };
    set(0, id_of(i));
    set(16, std::int64_t{-1});
    set(24, i % 10 == 0 ? std::int32_t{16} : std::int32_t{0});
    for (const std::size_t offset : {32, 36, 40}) set(offset, static_cast<float>(3 * i));
    for (const std::size_t offset : {64, 68, 108, 112}) set(offset, 1e11f);
    set(56, static_cast<float>(150 + i));
    set(116, 0.25f);
    bytes += record;
  }
  write_file(path, bytes);
}

void make_umml_csv(const fs::path& path) {
  std::string text = ",X,Y,Z,Vpeak,Vacc,Mpeak,Macc,mvir,Spin,Halfmass_Scale,upid,obs_SM\n";
  for (std::int64_t i = 0; i < kRows; ++i)
    text += concat(i, ",", 8 * i, ",2.5,3,", 180.25 + static_cast<double>(i), ",170,1e12,9e11,8e11,0.03,0.5,",
                   i % 3 == 0 ? "-1.0" : "2809272603.0", ",3.5e10\n");
  write_file(path, text);
}

void make_um_bin_hlist(const fs::path& folder) {
  make_um_bin(folder / "sfr.bin");
  make_hlist(folder / "hlist_0.5.list");
}

void read_um_bin_hlist(const fs::path& file, const fs::path& seeds) {
  const bool list = file.extension() == ".list";
  read_um_bin(list ? seeds / "sfr.bin" : file, list ? file : seeds / "hlist_0.5.list", {.box_size = 100});
}

// A build without CFITSIO refuses every FITS file.
void make_fits(const fs::path& path) {
  std::vector<double> positions, velocities;
  for (std::int64_t i = 0; i < kRows; ++i) {
    const auto f = static_cast<double>(i);
    positions.insert(positions.end(), {f, 2 * f, 3 * f});
    velocities.push_back(150 + f);
  }
  write_file(path,
             fits_file(fits_table("HALOS", {{"POS", "Mpc/h", positions, 3}, {"VPEAK", "km/s", velocities}},
                                  fits_value("BOXSIZE", "100.0"))));
}

}  // namespace

std::vector<Reader> text_readers() {
  return {{"hlist",
           {"hlist_0.5.list"},
           [](const fs::path& folder) { make_hlist(folder / "hlist_0.5.list"); },
           [](const fs::path& file, const fs::path&) { read_hlist(file, {}); }},
          {"um_bin",
           {"sfr.bin"},
           [](const fs::path& folder) { make_um_bin(folder / "sfr.bin"); },
           [](const fs::path& file, const fs::path&) { read_um_bin(file, std::nullopt, {}); }},
          {"um_bin_hlist", {"sfr.bin", "hlist_0.5.list"}, make_um_bin_hlist, read_um_bin_hlist},
          {"umml_csv",
           {"merged.cache"},
           [](const fs::path& folder) { make_umml_csv(folder / "merged.cache"); },
           [](const fs::path& file, const fs::path&) { read_umml_csv(file, {}); }},
          {"table",
           {"table.csv"},
           [](const fs::path& folder) { make_umml_csv(folder / "table.csv"); },
           [](const fs::path& file, const fs::path&) {
             read_table(file, {.columns = "x=X,y=Y/2,stellar_mass=obs_SM", .rows = {.box_size = 250}});
           }},
          {"fits",
           {"halos.fits"},
           [](const fs::path& folder) { make_fits(folder / "halos.fits"); },
           [](const fs::path& file, const fs::path&) {
             read_table(file, {.columns = "x=POS[0],y=POS[1],z=POS[2]"});
           }}};
}

}  // namespace umbra::mutated
