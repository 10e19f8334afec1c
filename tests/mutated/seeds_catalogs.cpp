// Catalogs in HDF5: umbra's own, CAMELS' and halotools'.
#include "data/catalogs/camels.h"
#include "data/catalogs/formats.h"
#include "data/catalogs/table.h"
#include "engine/io/hdf5.h"
#include "tests/mutated/seeds.h"

namespace umbra::mutated {
namespace {

namespace fs = std::filesystem;

void write_camels(const fs::path& path) {
  constexpr std::int64_t kRows = 24, kGroups = 6;
  Hdf5File file = Hdf5File::create(path);
  file.make_group("Header");
  for (const auto& [key, value] : {std::pair{"BoxSize", 25000.0},
                                   {"HubbleParam", 0.6711},
                                   {"Omega0", 0.3},
                                   {"OmegaBaryon", 0.05},
                                   {"Redshift", 2e-16}})
    file.set_attribute("Header", key, value);
  file.set_attribute("Header", "Nsubgroups_ThisFile", kRows);
  file.set_attribute("Header", "Nsubgroups_Total", kRows);
  std::vector<float> position, vmax, mass, types, rates;
  std::vector<std::int64_t> group, first;
  for (std::int64_t i = 0; i < kRows; ++i) {
    const float f = static_cast<float>(i);
    position.insert(position.end(), {1000 * f, 500 * f + 1, 24999 - 700 * f});
    vmax.push_back(i == 7 ? 0 : 300 - 10 * f);
    mass.push_back(50 - f);
    types.insert(types.end(), {1, 40, 0, 0, 2 / (f + 1), 0.001f});
    rates.push_back(0.5f);
    group.push_back(i / (kRows / kGroups));
  }
  for (std::int64_t i = 0; i < kGroups; ++i) first.push_back(i * (kRows / kGroups));
  file.write("Subhalo/SubhaloPos", position, {kRows, 3});
  file.write("Subhalo/SubhaloVmax", vmax);
  file.write("Subhalo/SubhaloMass", mass);
  file.write("Subhalo/SubhaloMassType", types, {kRows, 6});
  file.write("Subhalo/SubhaloSFR", rates);
  file.write("Subhalo/SubhaloGrNr", group);
  file.write("Group/GroupFirstSub", first);
  file.commit();
}

// One cube in each of the two layouts, in separate folders.
void make_camels(const fs::path& folder) {
  for (const char* name : {"checked", "plain/SB7_0"}) fs::create_directories(folder / name);
  write_camels(folder / "checked/groups_090.hdf5");
  rewrite_plainly(folder / "checked/groups_090.hdf5", folder / "plain/SB7_0/groups_090.hdf5", false);
}

void make_camels_parameters(const fs::path& folder) {
  make_camels(folder);
  write_file(folder / "parameters.txt",
             "#Name Omega_m sigma_8 A_SN1 A_AGN1 seed\n"
             "SB7_1 0.31 0.71 1.5 2.5e-1 7\n"
             "SB7_0 0.3 0.91 0.25 4 12\n"
             "\n"
             "SB7_2 0.11 0.61 1e0 1 1234567\n");
}

void make_catalogs(const fs::path& folder) {
  write_catalog(folder / "catalog.h5", sample_catalog());
  rewrite_plainly(folder / "catalog.h5", folder / "plain.h5", false);
  rewrite_plainly(folder / "catalog.h5", folder / "compressed.h5", true);
}

}  // namespace

Catalog sample_catalog() {
  constexpr std::size_t kRows = 40;
  Catalog catalog;
  catalog.box_size = 50;
  catalog.boxes = 2;
  catalog.redshift = 0.5;
  catalog.source = "a catalog made by the tests";
  for (const ColumnKind& kind : column_kinds()) {
    const std::string name(kind.name);
    for (std::size_t row = 0; row < kRows; ++row) {
      const double number =
          kind.unit == "Mpc/h" ? 1.2 * static_cast<double>(row) : 100.0 + static_cast<double>(row);
      const auto integer = static_cast<std::int64_t>(row);
      if (name == "box")
        catalog.integers[name].push_back(integer / 20);
      else if (name == "upid")
        catalog.integers[name].push_back(integer % 4 == 0 ? -1 : integer / 4 * 4);
      else if (name == "id")
        catalog.integers[name].push_back(integer);
      else
        catalog.columns[name].push_back(number);
    }
  }
  catalog.box_parameters = {{"A_SN1", {0.5, 2}}, {"sigma_8", {0.7, 0.9}}};
  return catalog;
}

std::vector<Reader> catalog_readers() {
  return {{"catalog",
           {"catalog.h5", "plain.h5", "compressed.h5"},
           make_catalogs,
           [](const fs::path& file, const fs::path&) { read_catalog(file); }},
          {"camels",
           {"plain/SB7_0/groups_090.hdf5", "plain/SB7_0/groups_090.hdf5", "checked/groups_090.hdf5"},
           make_camels,
           [](const fs::path& file, const fs::path&) { read_camels(file.parent_path()); }},
          {"camels_parameters",
           {"parameters.txt"},
           make_camels_parameters,
           [](const fs::path& file, const fs::path& seeds) {
             read_camels(seeds / "plain", {.parameters = file});
           }},
          {"halotools",
           {"halos.hdf5"},
           [](const fs::path& folder) { write_halotools(folder / "halos.hdf5"); },
           [](const fs::path& file, const fs::path&) { read_halotools(file, {}); }},
          {"hdf5_table",
           {"groups_090.hdf5"},
           [](const fs::path& folder) { write_camels(folder / "groups_090.hdf5"); },
           [](const fs::path& file, const fs::path&) {
             read_table(file,
                        {.columns = "x=SubhaloPos[0],y=SubhaloPos[1],z=SubhaloPos[2],vpeak=SubhaloVmax+1",
                         .units = "x=kpc/h,y=kpc/h,z=kpc/h",
                         .group = "Subhalo",
                         .rows = {.box_size = 25}});
           }}};
}

}  // namespace umbra::mutated
