#include "data/catalogs/camels.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>

#include "data/catalogs/natural_order.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"

namespace umbra {
namespace {

constexpr double kFiducialSigma8 = 0.8;  // of every CAMELS set, and n_s likewise
constexpr double kSpectralIndex = 0.9624;
constexpr double kKpcPerMpc = 1000.0;
constexpr double kMassUnit = 1e10;  // Msun/h
constexpr std::int64_t kStars = 4;  // particle type

std::vector<std::filesystem::path> group_files(const std::filesystem::path& folder) {
  std::error_code error;
  require(std::filesystem::is_directory(folder, error), "folder '", folder.string(), "' does not exist");
  std::vector<std::filesystem::path> files;
  std::filesystem::recursive_directory_iterator entry(folder, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("groups_") && name.ends_with(".hdf5")) files.push_back(entry->path());
  }
  require(!error, "folder '", folder.string(), "' cannot be listed: ", error.message());
  require(!files.empty(), "folder '", folder.string(), "' holds no file */groups_*.hdf5");
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return natural_less(a.string(), b.string()); });
  return files;
}

struct Header {
  double box_size, h, omega_m, omega_b, redshift;
  std::int64_t subhalos;
};

Header read_header(const Hdf5File& file) {
  require(file.has_group("Header") && file.has_attribute("Header", "Nsubgroups_Total"), "file '",
          file.path().string(),
          "' is not a SUBFIND catalog: the group 'Header' with Nsubgroups_Total is missing");
  Header header{file.attribute_number("Header", "BoxSize") / kKpcPerMpc,
                file.attribute_number("Header", "HubbleParam"),
                file.attribute_number("Header", "Omega0"),
                file.attribute_number("Header", "OmegaBaryon"),
                file.attribute_number("Header", "Redshift"),
                file.attribute_integer("Header", "Nsubgroups_ThisFile")};
  const std::int64_t total = file.attribute_integer("Header", "Nsubgroups_Total");
  require(header.subhalos == total, "file '", file.path().string(), "' holds ", header.subhalos, " of ",
          total, " subhalos: catalogs in several parts are not read");
  require(header.subhalos >= 0, "file '", file.path().string(), "' claims ", header.subhalos, " subhalos");
  if (std::abs(header.redshift) < 1e-6) header.redshift = 0;  // written as 2e-16 by some versions
  return header;
}

// The subhalo tables of one file.
struct Subhalos {
  std::vector<float> position;   // [N, 3], kpc/h
  std::vector<float> vmax;       // [N], km/s
  std::vector<float> mass;       // [N], 1e10 Msun/h
  std::vector<float> mass_type;  // [N, 6], 1e10 Msun/h
  std::vector<float> sfr;        // [N], Msun/yr
  std::vector<std::int64_t> group;
  std::vector<std::int64_t> first;  // [groups]
};

Subhalos read_subhalos(const Hdf5File& file, std::int64_t n) {
  Subhalos s;
  if (n == 0) return s;  // SUBFIND writes no datasets then
  s.position = file.read<float>("Subhalo/SubhaloPos", Shape{n, 3});
  s.vmax = file.read<float>("Subhalo/SubhaloVmax", Shape{n});
  s.mass = file.read<float>("Subhalo/SubhaloMass", Shape{n});
  s.mass_type = file.read<float>("Subhalo/SubhaloMassType", Shape{n, 6});
  s.sfr = file.read<float>("Subhalo/SubhaloSFR", Shape{n});
  s.group = file.read<std::int64_t>("Subhalo/SubhaloGrNr", Shape{n});
  s.first = file.read<std::int64_t>("Group/GroupFirstSub");
  return s;
}

// The row of the central of subhalo `i`, in the file.
std::int64_t central_of(const Subhalos& s, std::size_t i, const std::string& where) {
  const std::int64_t group = s.group[i];
  require(group >= 0 && group < static_cast<std::int64_t>(s.first.size()), where, ": SubhaloGrNr row ", i,
          " is ", group, ", but there are ", s.first.size(), " groups");
  const std::int64_t central = s.first[static_cast<std::size_t>(group)];
  require(central >= 0 && central < static_cast<std::int64_t>(s.vmax.size()), where,
          ": GroupFirstSub of group ", group, " is ", central, ", but there are ", s.vmax.size(),
          " subhalos");
  return central;
}

// One file as a catalog of one cube; ids begin at `first_id`.
Catalog convert(const Header& header, const Subhalos& s, std::int64_t first_id, const std::string& where,
                std::int64_t& skipped) {
  Catalog cube;
  cube.box_size = header.box_size;
  cube.redshift = header.redshift;
  cube.cosmology = {header.h, header.omega_m, header.omega_b, kFiducialSigma8, kSpectralIndex};
  const char* const axes[] = {"x", "y", "z"};
  for (const char* name : {"x", "y", "z", "vpeak", "mvir", "stellar_mass", "sfr"}) cube.columns[name];
  for (const char* name : {"id", "upid", "box"}) cube.integers[name];
  for (std::size_t i = 0; i < s.vmax.size(); ++i) {
    if (s.vmax[i] == 0) {
      ++skipped;
      continue;
    }
    for (std::size_t axis = 0; axis < 3; ++axis)
      cube.columns[axes[axis]].push_back(double{s.position[3 * i + axis]} / kKpcPerMpc);
    cube.columns["vpeak"].push_back(double{s.vmax[i]});
    cube.columns["mvir"].push_back(s.mass[i] * kMassUnit);
    cube.columns["stellar_mass"].push_back(s.mass_type[6 * i + kStars] * kMassUnit / header.h);
    cube.columns["sfr"].push_back(double{s.sfr[i]});
    const std::int64_t central = central_of(s, i, where);
    cube.integers["id"].push_back(first_id + static_cast<std::int64_t>(i));
    cube.integers["upid"].push_back(central == static_cast<std::int64_t>(i) ? -1 : first_id + central);
    cube.integers["box"].push_back(0);
  }
  return cube;
}

void append(Catalog& all, Catalog&& cube, std::int64_t box) {
  std::fill(cube.integers["box"].begin(), cube.integers["box"].end(), box);
  for (auto& [name, values] : cube.columns) {
    auto& to = all.columns[name];
    to.insert(to.end(), values.begin(), values.end());
  }
  for (auto& [name, values] : cube.integers) {
    auto& to = all.integers[name];
    to.insert(to.end(), values.begin(), values.end());
  }
}

// The parameter table: a line "#Name column ...", then one row per simulation, its name first.
struct Table {
  std::vector<std::string> columns;
  std::map<std::string, std::vector<double>> rows;
};

Table read_table(const std::filesystem::path& path) {
  std::ifstream stream(path);
  require(bool(stream), "parameter file '", path.string(), "' cannot be opened");
  Table table;
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    std::istringstream fields(line);
    std::string name, column;
    if (!(fields >> name)) continue;
    if (name.starts_with('#')) {
      if (!table.columns.empty()) continue;
      while (fields >> column) table.columns.push_back(column);
      continue;
    }
    std::vector<double> values;
    for (double value; fields >> value;) values.push_back(value);
    require(fields.eof() && values.size() == table.columns.size(), "parameter file '", path.string(),
            "' line ", number, ": a name and ", table.columns.size(),
            " numbers are expected, as the line '#Name ...' says");
    table.rows[name] = values;
  }
  require(!table.rows.empty() && !table.columns.empty(), "parameter file '", path.string(),
          "' holds no table (a line '#Name ...' and one row per simulation)");
  return table;
}

void add_parameters(Catalog& catalog, const std::vector<std::filesystem::path>& files,
                    const std::filesystem::path& path) {
  const Table table = read_table(path);
  for (const auto& file : files) {
    const std::string name = file.parent_path().filename().string();
    const auto row = table.rows.find(name);
    require(row != table.rows.end(), "parameter file '", path.string(), "' has no row '", name, "' for '",
            file.string(), "'");
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      catalog.box_parameters[table.columns[i]].push_back(row->second[i]);
  }
  if (const auto sigma = catalog.box_parameters.find("sigma_8"); sigma != catalog.box_parameters.end())
    catalog.cosmology.sigma_8 =
        std::reduce(sigma->second.begin(), sigma->second.end()) / static_cast<double>(sigma->second.size());
}

}  // namespace

Catalog read_camels(const std::filesystem::path& folder,
                    const std::optional<std::filesystem::path>& parameters, CamelsReport* report) {
  const std::vector<std::filesystem::path> files = group_files(folder);
  CamelsReport result;
  Catalog all;
  double omega_m = 0, omega_b = 0;
  std::int64_t first_id = 0;
  for (const auto& path : files) {
    const Hdf5File file = Hdf5File::open(path);
    const std::string where = concat("file '", path.string(), "'");
    const Header header = read_header(file);
    Catalog cube = convert(header, read_subhalos(file, header.subhalos), first_id, where, result.skipped);
    result.wrapped += validate(cube, where).wrapped;
    if (result.files == 0) {
      all.box_size = cube.box_size;
      all.redshift = cube.redshift;
      all.cosmology = cube.cosmology;
    }
    require(cube.box_size == all.box_size && cube.redshift == all.redshift && header.h == all.cosmology.h,
            where, ": box size, redshift and h are ", cube.box_size, " Mpc/h, ", cube.redshift, " and ",
            header.h, ", but ", all.box_size, ", ", all.redshift, " and ", all.cosmology.h, " in '",
            files[0].string(), "'");
    append(all, std::move(cube), result.files);
    omega_m += header.omega_m;
    omega_b += header.omega_b;
    first_id += header.subhalos;
    ++result.files;
  }
  all.boxes = result.files;
  all.cosmology.omega_m = omega_m / static_cast<double>(result.files);
  all.cosmology.omega_b = omega_b / static_cast<double>(result.files);
  all.source =
      concat("CAMELS SUBFIND catalogs, ", result.files, " hydrodynamic cubes of ", all.box_size,
             " Mpc/h, z = ", all.redshift,
             "; vpeak is SubhaloVmax at that redshift with baryons, mvir the "
             "bound mass; omega_m, omega_b and sigma_8 differ from cube to cube, the attributes are means");
  if (parameters) add_parameters(all, files, *parameters);
  validate(all, folder.string());
  if (report) *report = result;
  return all;
}

}  // namespace umbra
