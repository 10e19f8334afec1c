#include "data/catalogs/camels_cube.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr double kKpcPerMpc = 1000.0;
constexpr double kSmallestInKpc =
    1000.0;                         // a smaller BoxSize is in Mpc/h, because no cube has a side below 1 Mpc/h
constexpr double kMassUnit = 1e10;  // Msun/h
constexpr std::int64_t kStars = 4;  // particle type

// The subhalo tables of one file.
struct Subhalos {
  std::vector<float> position;   // [N, 3], kpc/h
  std::vector<float> vmax;       // [N], km/s
  std::vector<float> mass;       // [N], 1e10 Msun/h
  std::vector<float> mass_type;  // [N, 6], 1e10 Msun/h
  std::vector<float> sfr;        // [N], Msun/yr
  std::vector<float> vdisp;      // [N], km/s; this and the next two are empty where the file lacks them
  std::vector<float> rmax;       // [N], kpc/h
  std::vector<float> spin;       // [N, 3], km/s kpc/h
  std::vector<std::int64_t> group;
  std::vector<std::int64_t> first;  // [groups]
};

// Reads the columns that are not dropped; the others are 0.
Subhalos read_subhalos(const Hdf5File& file, std::int64_t n, const ImportOptions& options) {
  Subhalos s;
  if (n == 0) return s;  // without subhalos SUBFIND writes no datasets
  s.position = file.read<float>("Subhalo/SubhaloPos", Shape{n, 3});
  s.vmax = file.read<float>("Subhalo/SubhaloVmax", Shape{n});
  const auto column = [&](const char* ours, const char* dataset, const Shape& shape) {
    return is_dropped(options, ours) ? std::vector<float>(static_cast<std::size_t>(shape.count()))
                                     : file.read<float>(dataset, shape);
  };
  s.mass = column("mvir", "Subhalo/SubhaloMass", Shape{n});
  s.mass_type = column("stellar_mass", "Subhalo/SubhaloMassType", Shape{n, 6});
  s.sfr = column("sfr", "Subhalo/SubhaloSFR", Shape{n});
  const auto optional_column = [&](const char* ours, const std::string& dataset, const Shape& shape) {
    return is_dropped(options, ours) || !file.has(dataset) ? std::vector<float>()
                                                           : file.read<float>(dataset, shape);
  };
  s.vdisp = optional_column("vdisp", "Subhalo/SubhaloVelDisp", Shape{n});
  s.rmax = optional_column("rmax", "Subhalo/SubhaloVmaxRad", Shape{n});
  s.spin = optional_column("angular_momentum", "Subhalo/SubhaloSpin", Shape{n, 3});
  if (is_dropped(options, "upid")) {
    s.group.assign(static_cast<std::size_t>(n), 0);
    s.first = {0};
    return s;
  }
  s.group = file.read<std::int64_t>("Subhalo/SubhaloGrNr", Shape{n});
  s.first = file.read<std::int64_t>("Group/GroupFirstSub");
  return s;
}

// The row in the file of the central of subhalo `i`.
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

// Whether positions are in kpc/h. In correct files they have the unit of BoxSize; in some converted files
// only BoxSize is in Mpc/h.
bool positions_in_kpc(const CamelsHeader& header, const Subhalos& s, const std::string& where) {
  constexpr std::size_t kEnough = 10;  // this number of subhalos is not all in one corner
  float largest = 0;
  for (const float value : s.position) largest = std::max(largest, value);
  const bool fits_mpc = static_cast<double>(largest) <= 1.05 * header.box_size;
  if (header.in_mpc) return !fits_mpc;
  require(!fits_mpc || s.vmax.size() < kEnough, where, ": BoxSize is ", header.box_size * kKpcPerMpc,
          " kpc/h, but no position is above ", largest, ": the positions have another unit");
  return true;
}

// The columns that not all files have, for the rows `subhalos`.
void add_optional_columns(const Subhalos& s, std::span<const std::int64_t> subhalos, double kpc,
                          Catalog& cube) {
  for (const std::int64_t subhalo : subhalos) {
    const auto i = static_cast<std::size_t>(subhalo);
    if (!s.vdisp.empty()) cube.columns["vdisp"].push_back(double{s.vdisp[i]});
    if (!s.rmax.empty()) cube.columns["rmax"].push_back(s.rmax[i] * kpc);
    if (s.spin.empty()) continue;
    const double jx{s.spin[3 * i]}, jy{s.spin[3 * i + 1]}, jz{s.spin[3 * i + 2]};
    cube.columns["angular_momentum"].push_back(std::sqrt(jx * jx + jy * jy + jz * jz) * kpc);
  }
}

}  // namespace

CamelsHeader read_camels_header(const Hdf5File& file, std::optional<double> box_size) {
  require(file.has_group("Header") && file.has_attribute("Header", "Nsubgroups_Total"), "file '",
          file.path().string(),
          "' is not a SUBFIND catalog: the group 'Header' with Nsubgroups_Total is missing");
  const bool said = !box_size || file.has_attribute("Header", "BoxSize");
  const double side = said ? file.attribute_number("Header", "BoxSize") : *box_size;
  const bool in_mpc = side < kSmallestInKpc;
  CamelsHeader header{in_mpc ? side : side / kKpcPerMpc,
                      in_mpc,
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

Catalog read_camels_cube(const Hdf5File& file, const CamelsHeader& header, const ImportOptions& options,
                         std::int64_t first_id, const std::string& where, std::vector<std::int64_t>& subhalos,
                         ImportReport& report) {
  const Subhalos s = read_subhalos(file, header.subhalos, options);
  Catalog cube;
  cube.box_size = header.box_size;
  const auto column = [&](const char* name) { return &cube.columns[name]; };
  std::vector<double>* const position[] = {column("x"), column("y"), column("z")};
  std::vector<double>&vpeak = *column("vpeak"), &mvir = *column("mvir"), &mass = *column("stellar_mass"),
  &sfr = *column("sfr");
  std::vector<std::int64_t>&id = cube.integers["id"], &upid = cube.integers["upid"],
  &box = cube.integers["box"];
  const bool in_kpc = positions_in_kpc(header, s, where);
  const std::size_t before = subhalos.size();
  for (std::size_t i = 0; i < s.vmax.size(); ++i) {
    if (s.vmax[i] == 0) {
      ++report.motionless;
      continue;
    }
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double value{s.position[3 * i + axis]};
      position[axis]->push_back(in_kpc ? value / kKpcPerMpc : value);
    }
    vpeak.push_back(double{s.vmax[i]});
    mvir.push_back(s.mass[i] * kMassUnit);
    mass.push_back(s.mass_type[6 * i + kStars] * kMassUnit / header.h);
    sfr.push_back(double{s.sfr[i]});
    const std::int64_t central = central_of(s, i, where);
    id.push_back(first_id + static_cast<std::int64_t>(i));
    upid.push_back(central == static_cast<std::int64_t>(i) ? -1 : first_id + central);
    box.push_back(0);
    subhalos.push_back(static_cast<std::int64_t>(i));
  }
  add_optional_columns(s, std::span(subhalos).subspan(before), in_kpc ? 1.0 : kKpcPerMpc, cube);
  return cube;
}

}  // namespace umbra
