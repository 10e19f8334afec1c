// The checks of a whole catalog and of some of its rows. All readers share them, so that a catalog read at
// once and one read in pieces give the same messages. Every message begins with `where`.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "data/catalogs/catalog.h"

namespace umbra {

/// The column called `name`, or nullptr.
const ColumnKind* find_kind(std::string_view name);
/// The names of the columns a catalog has, for messages about a missing one.
std::string present_columns(const Catalog& catalog);

/// The check of single values of a column. It does not depend on the box size.
class ValueCheck {
 public:
  /// The check for columns of this kind.
  explicit ValueCheck(const ColumnKind& kind);
  /// Whether a floating-point value is allowed; NaN and absurdly large values are not.
  bool passes(double value) const {
    return std::abs(value) <= largest_ && value >= least_ && !(above_zero_ && value == 0);
  }
  /// Whether an integer is allowed: upid must be at least -1.
  bool passes(std::int64_t value) const { return !is_upid_ || value >= -1; }

 private:
  double largest_, least_;
  bool above_zero_, is_upid_;
};
/// What is expected in a column of this kind, for messages.
const char* expectation(const ColumnKind& kind);

/// Checks box size, number of cubes, redshift and cosmology.
void check_header(const Catalog& catalog, std::string_view where);
/// Checks names and types of the columns, that x, y and z are present, and that all have the same length.
void check_columns(const Catalog& catalog, std::string_view where);
/// Checks everything: header, names, types, lengths, values. It does not wrap positions.
void check_catalog(const Catalog& catalog, std::string_view where);
/// Checks the values alone. Row 0 of `part` is row `first_row` of the catalog.
void check_rows(const Catalog& part, std::string_view where, std::int64_t first_row);
/// Throws Error, which ends with `advice`, if `column` is one of masses and all its positive values are between 5 and 17:
/// they are logarithms. No halo and no galaxy is that light.
void check_no_logarithms(const Catalog& part, std::string_view column, std::string_view where,
                         std::string_view advice);
/// Whether `column` is one of masses and they are all so small that they must be in another unit.
bool are_too_light(std::string_view column, std::span<const double> masses);
/// Whether a position is so far outside its cube (5 % of a side) that the box size or the unit must be wrong.
bool is_far_outside(double position, double box_size);
/// Throws the Error for such a position.
[[noreturn]] void fail_far_outside(const std::string& where, std::string_view axis, double position,
                                   double box_size);
/// Throws Error unless the column `name` is as long as x.
void check_length(std::string_view name, std::int64_t rows, std::int64_t rows_of_x, std::string_view where);

/// Wraps positions within one side of the cube into [0, box_size). Returns the number of rows that were
/// changed.
std::int64_t wrap_positions(Catalog& catalog);

}  // namespace umbra
