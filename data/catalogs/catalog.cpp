#include "data/catalogs/catalog.h"

#include <algorithm>
#include <cmath>
#include <limits>

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
    {"spin", "1", Check::kNonNegative, "dimensionless spin parameter"},
    {"halfmass_scale", "1", Check::kNonNegative, "scale factor at which half of mpeak was reached"},
    {"upid", "1", Check::kInteger, "id of the host halo, -1 for a central"},
    {"id", "1", Check::kInteger, "id of the halo"},
    {"box", "1", Check::kInteger, "which of the cubes the halo stands in, from 0"},
    {"stellar_mass", "Msun", Check::kNonNegative, "stellar mass of the halo's galaxy, no h"},
    {"sfr", "Msun/yr", Check::kNonNegative, "star formation rate of the halo's galaxy"},
};

constexpr double kLargestBox = 12000.0;  // Mpc/h; larger cubes do not fit into the observable universe
constexpr std::int64_t kMostBoxes = std::int64_t{1} << 24;

std::string present(const Catalog& catalog) {
  std::string text;
  for (const ColumnKind& kind : column_kinds())
    if (catalog.has(kind.name)) text += (text.empty() ? "" : " ") + std::string(kind.name);
  return text.empty() ? "none" : text;
}

const ColumnKind* find_kind(std::string_view name) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const ColumnKind& kind) { return kind.name == name; });
  return found == std::end(kKinds) ? nullptr : &*found;
}

const char* expectation(Check check) {
  switch (check) {
    case Check::kPositive:
      return "a number above 0 of a sane size";
    case Check::kNonNegative:
      return "a number of 0 or above of a sane size";
    default:
      return "a number of a sane size";
  }
}

// No halo is faster or heavier by orders of magnitude; a larger number is another unit or a damaged file, and
// one such value would drown all others in a network's input.
constexpr double kFastest = 1e5;   // km/s
constexpr double kLargest = 1e20;  // of anything else, Msun above all

bool passes(const ColumnKind& kind, double value) {
  if (!(std::abs(value) <= (kind.unit == "km/s" ? kFastest : kLargest))) return false;
  return kind.check == Check::kPositive ? value > 0 : kind.check == Check::kNonNegative ? value >= 0 : true;
}

void check_header(const Catalog& catalog, std::string_view where) {
  const double size = catalog.box_size;
  require(size > 0 && size <= kLargestBox, where, ": box_size is ", size, ", a side between 0 and ",
          kLargestBox, " Mpc/h is expected");
  require(catalog.boxes >= 1 && catalog.boxes <= kMostBoxes, where, ": boxes is ", catalog.boxes,
          ", a number of cubes from 1 to ", kMostBoxes, " is expected");
  require(std::isfinite(catalog.redshift) && catalog.redshift > -1, where, ": redshift is ", catalog.redshift,
          ", a number above -1 is expected");
  const Cosmology& c = catalog.cosmology;
  require(c.h > 0 && c.h < 5, where, ": h is ", c.h, ", the Hubble constant / (100 km/s/Mpc) is expected");
  require(c.omega_m > 0 && c.omega_m <= 2 && c.omega_b >= 0 && c.omega_b <= c.omega_m && c.sigma_8 > 0 &&
              c.sigma_8 < 10 && std::isfinite(c.n_s),
          where, ": the cosmology (omega_m ", c.omega_m, ", omega_b ", c.omega_b, ", sigma_8 ", c.sigma_8,
          ", n_s ", c.n_s, ") is impossible");
}

void check_floats(const Catalog& catalog, std::string_view where) {
  const double size = catalog.box_size;
  for (const auto& [name, values] : catalog.columns) {
    require(find_kind(name) != nullptr, where, ": there is no column '", name, "' in a catalog");
    const ColumnKind& kind = *find_kind(name);
    require(kind.check != Check::kInteger, where, ": column '", name, "' must hold integers");
    require(static_cast<std::int64_t>(values.size()) == catalog.rows(), where, ": column '", name, "' has ",
            values.size(), " rows, column 'x' has ", catalog.rows());
    for (std::size_t row = 0; row < values.size(); ++row) {
      const double value = values[row];
      require(passes(kind, value), where, ": column '", name, "' row ", row, " is ", value, ", ",
              expectation(kind.check), " is expected");
      require(kind.check != Check::kPosition || (value >= -size && value < 2 * size), where, ": column '",
              name, "' row ", row, " is ", value, ", more than one side outside the cube of ", size,
              " Mpc/h (are the positions in Mpc/h?)");
    }
  }
}

void check_integers(const Catalog& catalog, std::string_view where) {
  for (const auto& [name, values] : catalog.integers) {
    require(find_kind(name) != nullptr, where, ": there is no column '", name, "' in a catalog");
    require(find_kind(name)->check == Check::kInteger, where, ": column '", name,
            "' must hold floating-point numbers");
    require(static_cast<std::int64_t>(values.size()) == catalog.rows(), where, ": column '", name, "' has ",
            values.size(), " rows, column 'x' has ", catalog.rows());
  }
  if (catalog.has("box")) {
    const auto box = catalog.integer_column("box");
    for (std::size_t row = 0; row < box.size(); ++row)
      require(box[row] >= 0 && box[row] < catalog.boxes, where, ": column 'box' row ", row, " is ", box[row],
              ", a cube from 0 to ", catalog.boxes - 1, " is expected");
  } else {
    require(catalog.boxes == 1, where, ": there are ", catalog.boxes,
            " cubes, but the column 'box' is missing");
  }
  if (catalog.has("upid")) {
    const auto upid = catalog.integer_column("upid");
    for (std::size_t row = 0; row < upid.size(); ++row)
      require(upid[row] >= -1, where, ": column 'upid' row ", row, " is ", upid[row],
              ", the id of a halo or -1 is expected");
  }
}

void check_all(const Catalog& catalog, std::string_view where) {
  check_header(catalog, where);
  for (const std::string_view axis : {"x", "y", "z"})
    require(catalog.has(axis), where, ": column '", axis, "' is missing; present: ", present(catalog));
  check_floats(catalog, where);
  check_integers(catalog, where);
  for (const auto& [name, values] : catalog.box_parameters) {
    require(static_cast<std::int64_t>(values.size()) == catalog.boxes, where, ": parameter '", name, "' has ",
            values.size(), " numbers, one for each of ", catalog.boxes, " cubes is expected");
    for (const double value : values)
      require(std::isfinite(value), where, ": parameter '", name, "' holds ", value,
              ", a finite number is expected");
  }
}

double optional_number(const Hdf5File& file, const std::string& key, double otherwise) {
  return file.has_attribute("/", key) ? file.attribute_number("/", key) : otherwise;
}

void read_header(const Hdf5File& file, Catalog& catalog) {
  catalog.box_size = file.attribute_number("/", "box_size");
  if (file.has_attribute("/", "boxes")) catalog.boxes = file.attribute_integer("/", "boxes");
  Cosmology& c = catalog.cosmology;
  c.h = file.attribute_number("/", "h");
  c.omega_m = optional_number(file, "omega_m", c.omega_m);
  c.omega_b = optional_number(file, "omega_b", c.omega_b);
  c.sigma_8 = optional_number(file, "sigma_8", c.sigma_8);
  c.n_s = optional_number(file, "n_s", c.n_s);
  catalog.redshift = optional_number(file, "redshift", 0.0);
  if (file.has_attribute("/", "source")) catalog.source = file.attribute_text("/", "source");
}

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
    // A tiny positive number must not become the zero that reading refuses.
    if (narrow[row] == 0 && values[row] > 0) narrow[row] = std::numeric_limits<float>::denorm_min();
  }
  return narrow;
}

}  // namespace

std::span<const ColumnKind> column_kinds() {
  return kKinds;
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
          "' of floating-point numbers; present: ", present(*this));
  return found->second;
}

std::span<const std::int64_t> Catalog::integer_column(std::string_view name) const {
  const auto found = integers.find(name);
  require(found != integers.end(), "the catalog has no column '", name,
          "' of integers; present: ", present(*this));
  return found->second;
}

CatalogReport validate(Catalog& catalog, std::string_view where) {
  check_all(catalog, where);
  const double size = catalog.box_size;
  std::vector<char> moved(static_cast<std::size_t>(catalog.rows()), 0);
  for (const char* axis : {"x", "y", "z"}) {
    std::vector<double>& values = catalog.columns.find(axis)->second;
    for (std::size_t row = 0; row < values.size(); ++row) {
      if (values[row] >= 0 && values[row] < size) continue;
      values[row] = values[row] < 0 ? values[row] + size : values[row] - size;
      // -1e-20 + size rounds to size itself, which is the point 0.
      if (values[row] >= size) values[row] = 0;
      moved[row] = 1;
    }
  }
  CatalogReport report;
  report.wrapped = std::count(moved.begin(), moved.end(), char{1});
  return report;
}

Catalog read_catalog(const std::filesystem::path& path, CatalogReport* report) {
  const Hdf5File file = Hdf5File::open(path);
  require(file.has_group("halos"), "file '", path.string(),
          "' is not a catalog: it has no group 'halos' (tools/import makes catalogs from other formats)");
  Catalog catalog;
  read_header(file, catalog);
  for (const ColumnKind& kind : column_kinds()) {
    const std::string name(kind.name), dataset = "halos/" + name;
    if (!file.has(dataset)) continue;
    require(file.describe(dataset).shape.rank() == 1, "file '", path.string(), "': column '", name,
            "' has the shape ", file.describe(dataset).shape.text(), ", one dimension is expected");
    if (file.has_attribute(dataset, "unit")) {
      const std::string unit = file.attribute_text(dataset, "unit");
      require(unit == kind.unit, "file '", path.string(), "': column '", name, "' has the unit '", unit,
              "', '", kind.unit, "' is expected");
    }
    if (kind.check == Check::kInteger)
      catalog.integers[name] = file.read<std::int64_t>(dataset);
    else
      catalog.columns[name] = file.read<double>(dataset);
  }
  if (file.has_group("boxes"))
    for (const Hdf5Entry& entry : file.list("boxes"))
      catalog.box_parameters[entry.name] = file.read<double>("boxes/" + entry.name, Shape{catalog.boxes});
  const CatalogReport result = validate(catalog, concat("file '", path.string(), "'"));
  if (report) *report = result;
  return catalog;
}

void write_catalog(const std::filesystem::path& path, const Catalog& catalog) {
  const std::string where = concat("file '", path.string(), "'");
  check_all(catalog, where);
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
