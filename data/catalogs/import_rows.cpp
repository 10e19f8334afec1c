#include "data/catalogs/import_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <numeric>

#include "data/catalogs/catalog_checks.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

bool is_needed(const ImportRows& rows, std::string_view column) {
  return is_always_needed(column) || column == "stellar_mass" ||  // training needs it
         std::find(rows.needed.begin(), rows.needed.end(), column) != rows.needed.end();
}

template <class T>
void keep_rows(std::vector<T>& values, const std::vector<char>& keep) {
  std::size_t to = 0;
  for (std::size_t row = 0; row < values.size(); ++row)
    if (keep[row] != 0) values[to++] = values[row];
  values.resize(to);
}

// The rows of a catalog and their numbers among the rows that were read.
class Rows {
 public:
  Rows(Catalog& catalog, const ImportRows& origin) : catalog_(catalog), origin_(origin) {}
  std::string where(std::size_t row) const { return origin_.where + " " + place(row); }
  std::string place(std::size_t row) const { return origin_.place(read_.empty() ? row : read_[row]); }
  std::size_t count() const { return static_cast<std::size_t>(catalog_.rows()); }
  void keep(const std::vector<char>& chosen) {
    if (read_.empty()) {
      read_.resize(count());
      std::iota(read_.begin(), read_.end(), std::size_t{0});
    }
    for (auto& [name, values] : catalog_.columns) keep_rows(values, chosen);
    for (auto& [name, values] : catalog_.integers) keep_rows(values, chosen);
    keep_rows(read_, chosen);
  }

 private:
  Catalog& catalog_;
  const ImportRows& origin_;
  std::vector<std::size_t> read_;  // empty while no row is left out
};

// Marks the rows of one column to leave out. Returns true if the whole column must be left out.
template <class T>
bool has_bad_value(const std::string& name, const std::vector<T>& values, const Rows& rows, bool needed,
                   const ImportOptions& options, std::vector<char>& good, ImportReport& report) {
  const ColumnKind& kind = column_kind(name);
  const ValueCheck check(kind);
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (check.passes(values[row])) continue;
    if (options.skip_bad_rows) {
      good[row] = 0;
      continue;
    }
    const std::string what =
        concat("column '", name, "' is ", values[row], ", ", expectation(kind), " is expected");
    if (needed) fail(rows.where(row), ": ", what, "; --skip-bad-rows leaves out such rows");
    report.notes.push_back(concat("column '", name, "' is left out because it has bad values, first in ",
                                  rows.place(row), " (", what,
                                  "); --skip-bad-rows leaves out such rows instead"));
    return true;
  }
  return false;
}

void settle_bad_values(Catalog& catalog, Rows& rows, const ImportRows& origin, const ImportOptions& options,
                       ImportReport& report) {
  std::vector<char> good(rows.count(), 1);
  const auto check = [&](auto& columns) {
    std::erase_if(columns, [&](const auto& column) {
      return has_bad_value(column.first, column.second, rows, is_needed(origin, column.first), options, good,
                           report);
    });
  };
  check(catalog.columns);
  check(catalog.integers);
  const auto bad = std::count(good.begin(), good.end(), 0);
  report.bad_rows += bad;
  if (bad > 0) rows.keep(good);
}

// A row far outside means another box size or unit: it is an error, not a bad row to skip.
void check_positions_by_place(const Catalog& catalog, const Rows& rows) {
  for (const char* axis : {"x", "y", "z"}) {
    const auto values = catalog.column(axis);
    for (std::size_t row = 0; row < values.size(); ++row)
      if (is_far_outside(values[row], catalog.box_size))
        fail_far_outside(rows.where(row), axis, values[row], catalog.box_size);
  }
}

void check_masses(const Catalog& catalog, const ImportRows& rows) {
  for (const auto& [name, masses] : catalog.columns) {
    const std::string_view unit = column_kind(name).unit;
    check_no_logarithms(catalog, name, rows.where,
                        concat("import table reads logarithms with --units ", name, "=log10(", unit, ")"));
    if (!are_too_light(name, masses)) continue;
    fail(rows.where, ": the largest ", name, " is ", *std::max_element(masses.begin(), masses.end()), " ",
         unit, ", which is too small; are the masses in another unit? (import table has --units, e.g. ", name,
         "=1e10 Msun/h)");
  }
}

void check_box_is_filled(const Catalog& catalog, const ImportRows& rows, ImportReport& report) {
  constexpr std::int64_t kEnoughRows = 1000;  // of this number some come close to the far side
  constexpr double kFilled = 0.8;
  if (catalog.rows() < kEnoughRows) return;
  double largest = 0;
  for (const char* axis : {"x", "y", "z"})
    for (const double value : catalog.column(axis)) largest = std::max(largest, value);
  if (largest > kFilled * catalog.box_size) return;
  if (!rows.box_size_assumed)
    report.notes.push_back(concat("the positions reach ", largest, " Mpc/h of a box of ", catalog.box_size));
  require(!rows.box_size_assumed, rows.where, " does not contain its box size, and its positions reach ",
          largest, " Mpc/h, so it cannot be the usual ", catalog.box_size, "; give --box-size in Mpc/h");
}

// Leaves out the rows that reach no minimum; rows with a NaN are kept for the later checks.
void apply_cuts(const Catalog& catalog, Rows& rows, const ImportRows& origin, const ImportOptions& options) {
  if (options.min_vpeak <= 0 && options.min_stellar_mass <= 0) return;
  std::vector<char> reached(rows.count(), 0);
  const auto reach = [&](const char* column, const char* option, double minimum) {
    if (minimum <= 0) return;
    require(catalog.has(column), origin.where, " has no column for ", column, ", so ", option,
            " cannot cut by it");
    const auto values = catalog.column(column);
    for (std::size_t row = 0; row < values.size(); ++row)
      reached[row] = static_cast<char>(reached[row] != 0 || !(values[row] < minimum));
  };
  reach("vpeak", "--min-vpeak", options.min_vpeak);
  reach("stellar_mass", "--min-stellar-mass", options.min_stellar_mass);
  rows.keep(reached);
}

}  // namespace

void check_options(const ImportOptions& options) {
  require(
      !std::isnan(options.min_vpeak) && !std::isnan(options.min_stellar_mass),
      "a cut that is not a number would keep nothing or everything; a velocity in km/s or a mass in Msun is "
      "expected");
  for (const std::string& column : options.drop) {
    column_kind(column);
    require(!is_always_needed(column) && column != "box", "--drop ", column,
            ": x, y, z, vpeak and box cannot be left out");
  }
}

bool is_always_needed(std::string_view column) {
  return column == "x" || column == "y" || column == "z" || column == "vpeak";
}

bool is_dropped(const ImportOptions& options, std::string_view column) {
  return std::find(options.drop.begin(), options.drop.end(), column) != options.drop.end();
}

double settled_box_size(const ImportOptions& options, std::optional<double> in_file,
                        std::optional<double> otherwise, const std::string& where, ImportReport& report) {
  constexpr double kSame = 1e-4;  // headers are rounded
  if (options.box_size && in_file)
    require(std::abs(*options.box_size - *in_file) <= kSame * std::abs(*in_file), where, " has the box size ",
            *in_file, " Mpc/h, but --box-size says ", *options.box_size);
  if (options.box_size) return *options.box_size;
  if (in_file) return *in_file;
  require(otherwise.has_value(), where, " does not contain its box size; give --box-size in Mpc/h");
  report.notes.push_back(concat("the box size is not in the file; ", *otherwise, " Mpc/h is assumed"));
  return *otherwise;
}

std::int64_t bytes_to_read(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return 0;
  char magic[2] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  const bool compressed = magic[0] == '\x1f' && magic[1] == '\x8b';
  return compressed ? 0 : static_cast<std::int64_t>(std::filesystem::file_size(path, ignored));
}

void note_assumed_cosmology(const Catalog& catalog, ImportReport& report) {
  const Cosmology& c = catalog.cosmology;
  report.notes.push_back(concat("the cosmology is not in the file; h = ", c.h, ", omega_m = ", c.omega_m,
                                ", omega_b = ", c.omega_b, ", sigma_8 = ", c.sigma_8, ", n_s = ", c.n_s,
                                " is assumed"));
}

std::optional<NamedScale> scale_in_name(const std::filesystem::path& path, std::string_view prefix) {
  const std::string name = path.filename().string();
  if (!name.starts_with(prefix)) return std::nullopt;
  constexpr double kLatest = 1.1;  // snapshot numbers are larger, and have no point
  const char* begin = name.data() + prefix.size();
  NamedScale scale;
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), scale.value);
  const char* point = std::find(begin, end, '.');
  scale.digits = static_cast<int>(end - point) - 1;
  return error == std::errc() && scale.digits > 0 && scale.value > 0 && scale.value <= kLatest
             ? std::optional(scale)
             : std::nullopt;
}

void finish_import(Catalog& catalog, const ImportRows& origin, const ImportOptions& options,
                   ImportReport& report) {
  const Stage stage(options.progress, "checking rows");
  check_header(catalog, origin.where);
  check_columns(catalog, origin.where);
  Rows rows(catalog, origin);
  check_box_is_filled(catalog, origin, report);
  apply_cuts(catalog, rows, origin, options);
  settle_bad_values(catalog, rows, origin, options, report);
  require(catalog.rows() > 0, origin.where, ": no row is left of ", report.read,
          report.bad_rows > 0 ? " (rows with a bad value: " + std::to_string(report.bad_rows) + ")" : "",
          options.min_vpeak > 0 || options.min_stellar_mass > 0 ? "; the cuts may leave none" : "");
  check_positions_by_place(catalog, rows);
  check_masses(catalog, origin);
  report.wrapped += validate(catalog, origin.where).wrapped;
}

}  // namespace umbra
