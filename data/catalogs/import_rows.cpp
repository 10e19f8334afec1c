#include "data/catalogs/import_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "data/catalogs/catalog_checks.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr std::string_view kAlwaysNeeded[] = {"x", "y", "z", "vpeak"};

bool is_needed(const ImportRows& rows, std::string_view column) {
  const auto among = [&](const auto& list) {
    return std::find(std::begin(list), std::end(list), column) != std::end(list);
  };
  return among(kAlwaysNeeded) || among(rows.needed);
}

template <class T>
void keep_rows(std::vector<T>& values, const std::vector<char>& keep) {
  std::size_t to = 0;
  for (std::size_t row = 0; row < values.size(); ++row)
    if (keep[row] != 0) values[to++] = values[row];
  values.resize(to);
}

void keep_rows(Catalog& catalog, const std::vector<char>& keep) {
  for (auto& [name, values] : catalog.columns) keep_rows(values, keep);
  for (auto& [name, values] : catalog.integers) keep_rows(values, keep);
}

// One column: marks the rows to leave out; true when the column itself has to go.
template <class T>
bool has_bad_value(const std::string& name, const std::vector<T>& values, const ImportRows& rows,
                   const ImportOptions& options, std::vector<char>& keep, ImportReport& report) {
  const ColumnKind& kind = column_kind(name);
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (passes(kind, values[row])) continue;
    if (options.skip_bad_rows) {
      keep[row] = 0;
      continue;
    }
    const std::string what =
        concat("column '", name, "' is ", values[row], ", ", expectation(kind), " is expected");
    if (is_needed(rows, name))
      fail(rows.where, " ", rows.place(row), ": ", what, "; --skip-bad-rows leaves out such rows");
    report.notes.push_back(concat("column '", name, "' is left out, for it has bad values, first in ",
                                  rows.place(row), " (", what,
                                  "); --skip-bad-rows leaves out such rows instead"));
    return true;
  }
  return false;
}

void check_box_is_filled(const Catalog& catalog, const ImportRows& rows) {
  constexpr std::int64_t kEnoughRows = 1000;  // among so many some come close to the far side
  constexpr double kFilled = 0.8;
  if (!rows.box_size_assumed || catalog.rows() < kEnoughRows) return;
  double largest = 0;
  for (const char* axis : {"x", "y", "z"})
    for (const double value : catalog.column(axis)) largest = std::max(largest, value);
  require(largest > kFilled * catalog.box_size, rows.where,
          " does not say its box size, and its positions reach ", largest,
          " Mpc/h, so it cannot be the usual ", catalog.box_size, "; give --box-size in Mpc/h");
}

void apply_cuts(Catalog& catalog, const ImportRows& rows, const ImportOptions& options) {
  if (options.min_vpeak <= 0 && options.min_stellar_mass <= 0) return;
  std::vector<char> keep(static_cast<std::size_t>(catalog.rows()), 0);
  const auto reach = [&](const char* column, const char* option, double minimum) {
    if (minimum <= 0) return;
    require(catalog.has(column), rows.where, " has no column for ", column, ", so ", option,
            " cannot cut by it");
    const auto values = catalog.column(column);
    for (std::size_t row = 0; row < values.size(); ++row)
      keep[row] = static_cast<char>(keep[row] != 0 || values[row] >= minimum);
  };
  reach("vpeak", "--min-vpeak", options.min_vpeak);
  reach("stellar_mass", "--min-stellar-mass", options.min_stellar_mass);
  keep_rows(catalog, keep);
}

}  // namespace

void check_options(const ImportOptions& options) {
  require(
      !std::isnan(options.min_vpeak) && !std::isnan(options.min_stellar_mass),
      "a cut that is not a number would keep nothing or everything; a velocity in km/s or a mass in Msun is "
      "expected");
  for (const std::string& column : options.drop) {
    column_kind(column);
    for (const std::string_view needed : {"x", "y", "z", "vpeak", "box"})
      require(column != needed, "--drop ", column, ": x, y, z, vpeak and box cannot be left out");
  }
}

bool is_dropped(const ImportOptions& options, std::string_view column) {
  return std::find(options.drop.begin(), options.drop.end(), column) != options.drop.end();
}

double settled_box_size(const ImportOptions& options, std::optional<double> in_file,
                        std::optional<double> otherwise, const std::string& where, ImportReport& report) {
  constexpr double kSame = 1e-4;  // headers are rounded
  if (options.box_size && in_file)
    require(std::abs(*options.box_size - *in_file) <= kSame * std::abs(*in_file), where,
            " says that its box has ", *in_file, " Mpc/h, but --box-size says ", *options.box_size);
  if (options.box_size) return *options.box_size;
  if (in_file) return *in_file;
  require(otherwise.has_value(), where, " does not say its box size; give --box-size in Mpc/h");
  report.notes.push_back(concat("the box size is not in the file; ", *otherwise, " Mpc/h was taken"));
  return *otherwise;
}

void note_assumed_cosmology(const Catalog& catalog, ImportReport& report) {
  const Cosmology& c = catalog.cosmology;
  report.notes.push_back(concat("the cosmology is not in the file; h = ", c.h, ", omega_m = ", c.omega_m,
                                ", omega_b = ", c.omega_b, ", sigma_8 = ", c.sigma_8, ", n_s = ", c.n_s,
                                " was taken"));
}

std::optional<double> scale_in_name(const std::filesystem::path& path, std::string_view prefix) {
  const std::string name = path.filename().string();
  if (!name.starts_with(prefix)) return std::nullopt;
  double scale = 0;
  const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), scale);
  return error == std::errc() && scale > 0 ? std::optional(scale) : std::nullopt;
}

void settle_bad_values(Catalog& catalog, const ImportRows& rows, const ImportOptions& options,
                       ImportReport& report) {
  std::vector<char> keep(static_cast<std::size_t>(catalog.rows()), 1);
  const auto check = [&](auto& columns) {
    std::erase_if(columns, [&](const auto& column) {
      return has_bad_value(column.first, column.second, rows, options, keep, report);
    });
  };
  check(catalog.columns);
  check(catalog.integers);
  const auto bad = std::count(keep.begin(), keep.end(), 0);
  report.bad_rows += bad;
  if (bad > 0) keep_rows(catalog, keep);
}

void finish_import(Catalog& catalog, const ImportRows& rows, const ImportOptions& options,
                   ImportReport& report) {
  settle_bad_values(catalog, rows, options, report);
  check_box_is_filled(catalog, rows);
  report.wrapped += validate(catalog, rows.where).wrapped;
  apply_cuts(catalog, rows, options);
  require(catalog.rows() > 0, rows.where, ": no row is left of ", report.read,
          report.read > 0 ? " (do the cuts leave any?)" : ", there is nothing to import");
}

}  // namespace umbra
