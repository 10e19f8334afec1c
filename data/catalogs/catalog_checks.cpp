// The checks of a catalog, with one message for each possible mistake.
#include "data/catalogs/catalog_checks.h"

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"

namespace umbra {
namespace {

using Check = ColumnKind::Check;

constexpr double kLargestBox = 12000.0;  // Mpc/h; larger cubes do not fit into the observable universe
constexpr std::int64_t kMostBoxes = std::int64_t{1} << 24;

// No halo exceeds these limits; a larger number means another unit or a damaged file, and one such value
// would dominate the input of a network.
constexpr double kFastest = 1e5;   // km/s
constexpr double kLargest = 1e20;  // of any other column; chosen for masses in Msun

// A few halos may be just outside their cube, by rounding or because their center was moved. A larger
// distance means another box size or unit.
constexpr double kOutside = 0.05;  // of a side

void check_floats(const Catalog& part, std::string_view where, std::int64_t first_row) {
  for (const auto& [name, values] : part.columns) {
    const ColumnKind& kind = column_kind(name);
    const ValueCheck check(kind);
    std::int64_t row = first_row;
    for (const double value : values) {
      require(check.passes(value), where, ": column '", name, "' row ", row, " is ", value, ", ",
              expectation(kind), " is expected");
      ++row;
    }
  }
}

void check_integers(const Catalog& part, std::string_view where, std::int64_t first_row) {
  std::int64_t row = first_row;
  if (part.has("box"))
    for (const std::int64_t box : part.integer_column("box")) {
      require(box >= 0 && box < part.boxes, where, ": column 'box' row ", row, " is ", box,
              ", a cube from 0 to ", part.boxes - 1, " is expected");
      ++row;
    }
  for (const auto& [name, values] : part.integers) {
    const ColumnKind& kind = column_kind(name);
    const ValueCheck check(kind);
    row = first_row;
    for (const std::int64_t value : values)
      require(check.passes(value), where, ": column '", name, "' row ", row++, " is ", value, ", ",
              expectation(kind), " is expected");
  }
}

}  // namespace

ValueCheck::ValueCheck(const ColumnKind& kind)
    : largest_(kind.unit == "km/s" ? kFastest : kLargest),
      least_(kind.check == Check::kPositive || kind.check == Check::kNonNegative ? 0 : -largest_),
      above_zero_(kind.check == Check::kPositive),
      is_upid_(kind.name == "upid") {}

const char* expectation(const ColumnKind& kind) {
  switch (kind.check) {
    case Check::kPositive:
      return "a number above 0 of a sane size";
    case Check::kNonNegative:
      return "a number of 0 or above of a sane size";
    case Check::kInteger:
      return "the id of a halo or -1";
    default:
      return "a number of a sane size";
  }
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

void check_columns(const Catalog& catalog, std::string_view where) {
  for (const std::string_view axis : {"x", "y", "z"})
    require(catalog.has(axis), where, ": column '", axis, "' is missing; present: ", present_columns(catalog),
            catalog.hint(axis));
  for (const auto& [name, values] : catalog.columns) {
    require(find_kind(name) != nullptr, where, ": there is no column '", name, "' in a catalog");
    require(find_kind(name)->check != Check::kInteger, where, ": column '", name, "' must hold integers");
    check_length(name, static_cast<std::int64_t>(values.size()), catalog.rows(), where);
  }
  for (const auto& [name, values] : catalog.integers) {
    require(find_kind(name) != nullptr, where, ": there is no column '", name, "' in a catalog");
    require(find_kind(name)->check == Check::kInteger, where, ": column '", name,
            "' must hold floating-point numbers");
    check_length(name, static_cast<std::int64_t>(values.size()), catalog.rows(), where);
  }
  require(catalog.has("box") || catalog.boxes == 1, where, ": there are ", catalog.boxes,
          " cubes, but the column 'box' is missing");
}

void check_length(std::string_view name, std::int64_t rows, std::int64_t rows_of_x, std::string_view where) {
  require(rows == rows_of_x, where, ": column '", name, "' has ", rows, " rows, column 'x' has ", rows_of_x);
}

void check_no_logarithms(const Catalog& part, std::string_view column, std::string_view where,
                         std::string_view advice) {
  constexpr double kLeast = 5, kMost = 17;  // log10 of a mass in Msun or Msun/h
  const std::string_view unit = column_kind(column).unit;
  if (unit != "Msun" && unit != "Msun/h") return;
  double smallest = kLargest, largest = 0;
  for (const double mass : part.column(column)) {
    if (!(mass > 0)) continue;
    smallest = std::min(smallest, mass);
    largest = std::max(largest, mass);
  }
  if (smallest >= kLeast && largest <= kMost && largest > 0)
    fail(where, ": column '", column, "' is from ", smallest, " to ", largest,
         ", which are logarithms; masses in ", unit, " are expected (", advice, ")");
}

bool are_too_light(std::string_view column, std::span<const double> masses) {
  constexpr double kLightest = 1e5;  // Msun or Msun/h; every simulation has heavier halos and galaxies
  const std::string_view unit = column_kind(column).unit;
  if (masses.empty() || (unit != "Msun" && unit != "Msun/h")) return false;
  const double largest = *std::max_element(masses.begin(), masses.end());
  return largest > 0 && largest < kLightest;
}

bool is_far_outside(double position, double box_size) {
  return position < -kOutside * box_size || position > (1 + kOutside) * box_size;
}

void fail_far_outside(const std::string& where, std::string_view axis, double position, double box_size) {
  fail(
      where, ": column '", axis, "' is ", position, ", far outside the cube of ", box_size,
      " Mpc/h: the box size is wrong (import has --box-size), or the positions are not in Mpc/h (import table has "
      "--units x=kpc/h,y=kpc/h,z=kpc/h)");
}

void check_rows(const Catalog& part, std::string_view where, std::int64_t first_row) {
  check_floats(part, where, first_row);
  for (const char* axis : {"x", "y", "z"}) {
    std::int64_t row = first_row;
    for (const double position : part.column(axis)) {
      if (is_far_outside(position, part.box_size))
        fail_far_outside(concat(where, ": row ", row), axis, position, part.box_size);
      ++row;
    }
  }
  check_integers(part, where, first_row);
}

void check_catalog(const Catalog& catalog, std::string_view where) {
  check_header(catalog, where);
  check_columns(catalog, where);
  check_rows(catalog, where, 0);
  for (const auto& [name, values] : catalog.box_parameters) {
    require(static_cast<std::int64_t>(values.size()) == catalog.boxes, where, ": parameter '", name, "' has ",
            values.size(), " numbers, one for each of ", catalog.boxes, " cubes is expected");
    for (const double value : values)
      require(std::isfinite(value), where, ": parameter '", name, "' holds ", value,
              ", a finite number is expected");
  }
}

std::int64_t wrap_positions(Catalog& catalog) {
  const double size = catalog.box_size;
  std::vector<char> moved(static_cast<std::size_t>(catalog.rows()), 0);
  for (const char* axis : {"x", "y", "z"}) {
    std::vector<double>& values = catalog.columns.find(axis)->second;
    for (std::size_t row = 0; row < values.size(); ++row) {
      if (values[row] >= 0 && values[row] < size) continue;
      values[row] = values[row] < 0 ? values[row] + size : values[row] - size;
      // -1e-20 + size rounds to size itself, which is the same point as 0.
      if (values[row] >= size) values[row] = 0;
      moved[row] = 1;
    }
  }
  return std::count(moved.begin(), moved.end(), char{1});
}

}  // namespace umbra
