// The columns of a catalog and its writing. catalog_reader.cpp reads, catalog_checks.cpp checks.
#include "data/catalogs/catalog.h"

#include <algorithm>
#include <limits>

#include "data/catalogs/catalog_checks.h"
#include "data/tables/column_names.h"
#include "engine/base/error.h"
#include "engine/io/hdf5.h"

namespace umbra {
namespace {

using Check = ColumnKind::Check;

constexpr ColumnKind kKinds[] = {
    {"x", "Mpc/h", Check::kPosition, "comoving position"},
    {"y", "Mpc/h", Check::kPosition, "comoving position"},
    {"z", "Mpc/h", Check::kPosition, "comoving position"},
    {"vpeak", "km/s", Check::kPositive, "largest maximum circular velocity over the halo's history"},
    {"vacc", "km/s", Check::kNonNegative, "maximum circular velocity at accretion"},
    {"mpeak", "Msun/h", Check::kPositive, "largest virial mass over the halo's history"},
    {"macc", "Msun/h", Check::kNonNegative, "virial mass at accretion"},
    {"mvir", "Msun/h", Check::kNonNegative, "virial mass now"},
    {"vdisp", "km/s", Check::kNonNegative, "velocity dispersion along one axis"},
    {"rmax", "kpc/h", Check::kNonNegative, "comoving radius of the maximum circular velocity now"},
    {"angular_momentum", "km/s kpc/h", Check::kNonNegative, "length of the specific angular momentum"},
    {"spin", "1", Check::kNonNegative, "dimensionless spin parameter"},
    {"halfmass_scale", "1", Check::kNonNegative, "scale factor at which half of mpeak was reached"},
    {"upid", "1", Check::kInteger, "id of the host halo, -1 for a central"},
    {"id", "1", Check::kInteger, "id of the halo"},
    {"box", "1", Check::kInteger, "index of the cube that contains the halo, from 0"},
    {"stellar_mass", "Msun", Check::kNonNegative, "stellar mass of the halo's galaxy, no h"},
    {"sfr", "Msun/yr", Check::kNonNegative, "star formation rate of the halo's galaxy"},
};

void write_header(Hdf5File& file, const Catalog& catalog) {
  file.set_attribute("/", "box_size", catalog.box_size);
  file.set_attribute("/", "boxes", catalog.boxes);
  file.set_attribute("/", "h", catalog.cosmology.h);
  file.set_attribute("/", "omega_m", catalog.cosmology.omega_m);
  file.set_attribute("/", "omega_b", catalog.cosmology.omega_b);
  file.set_attribute("/", "sigma_8", catalog.cosmology.sigma_8);
  file.set_attribute("/", "n_s", catalog.cosmology.n_s);
  file.set_attribute("/", "redshift", catalog.redshift);
  file.set_attribute("/", "source", catalog.source);
}

// Validation has bounded every value far below the largest float.
std::vector<float> as_floats(std::span<const double> values) {
  std::vector<float> narrow(values.size());
  for (std::size_t row = 0; row < values.size(); ++row) {
    narrow[row] = static_cast<float>(values[row]);
    // A tiny positive number must not become 0, which the reader rejects.
    if (narrow[row] == 0 && values[row] > 0) narrow[row] = std::numeric_limits<float>::denorm_min();
  }
  return narrow;
}

}  // namespace

std::span<const ColumnKind> column_kinds() {
  return kKinds;
}

const ColumnKind* find_kind(std::string_view name) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const ColumnKind& kind) { return kind.name == name; });
  return found == std::end(kKinds) ? nullptr : &*found;
}

std::string present_columns(const Catalog& catalog) {
  std::string text;
  for (const ColumnKind& kind : column_kinds())
    if (catalog.has(kind.name)) text += (text.empty() ? "" : " ") + std::string(kind.name);
  return text.empty() ? "none" : text;
}

const ColumnKind& column_kind(std::string_view name) {
  if (const ColumnKind* kind = find_kind(name)) return *kind;
  std::string known;
  for (const ColumnKind& kind : kKinds) known += " " + std::string(kind.name);
  fail("a catalog has no column '", name, "'; the columns are:", known);
}

std::int64_t Catalog::rows() const {
  const auto x = columns.find("x");
  return x == columns.end() ? 0 : static_cast<std::int64_t>(x->second.size());
}

bool Catalog::has(std::string_view name) const {
  return columns.contains(name) || integers.contains(name);
}

std::span<const double> Catalog::column(std::string_view name) const {
  const auto found = columns.find(name);
  require(found != columns.end(), "the catalog has no column '", name,
          "' of floating-point numbers; present: ", present_columns(*this), hint(name));
  return found->second;
}

std::span<const std::int64_t> Catalog::integer_column(std::string_view name) const {
  const auto found = integers.find(name);
  require(found != integers.end(), "the catalog has no column '", name,
          "' of integers; present: ", present_columns(*this), hint(name));
  return found->second;
}

std::string Catalog::hint(std::string_view missing) const {
  return closest_hint(unread, missing);
}

std::vector<std::string> CatalogReport::remarks() const {
  std::vector<std::string> all = notes;
  if (wrapped > 0) all.push_back(concat(wrapped, " positions lay outside the box and were wrapped"));
  return all;
}

CatalogReport validate(Catalog& catalog, std::string_view where) {
  check_catalog(catalog, where);
  return {wrap_positions(catalog)};
}

void write_catalog(const std::filesystem::path& path, const Catalog& catalog) {
  const std::string where = concat("file '", path.string(), "'");
  check_catalog(catalog, where);
  Hdf5File file = Hdf5File::create(path);
  write_header(file, catalog);
  for (const ColumnKind& kind : column_kinds()) {
    const std::string name(kind.name), dataset = "halos/" + name;
    if (!catalog.has(name)) continue;
    if (kind.check == Check::kInteger)
      file.write(dataset, catalog.integers.at(name));
    else if (kind.check == Check::kPosition)
      file.write(dataset, catalog.columns.at(name));
    else
      file.write(dataset, as_floats(catalog.column(name)));
    file.set_attribute(dataset, "unit", std::string(kind.unit));
    file.set_attribute(dataset, "meaning", std::string(kind.meaning));
  }
  for (const auto& [name, values] : catalog.box_parameters) file.write("boxes/" + name, values);
  file.commit();
}

}  // namespace umbra
