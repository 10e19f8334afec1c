// What the sources of catalogs share: the checks of a whole catalog and of some of its rows, so that a
// catalog read at once and one read in pieces are refused with the same sentences. `where` opens every
// sentence.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "data/catalogs/catalog.h"

namespace umbra {

/// The kind called `name`, or nothing.
const ColumnKind* find_kind(std::string_view name);
/// The columns a catalog has, for sentences about the one it has not.
std::string present_columns(const Catalog& catalog);

/// Whether a value may stand in a column of its kind, wherever its cube ends.
class ValueCheck {
 public:
  explicit ValueCheck(const ColumnKind& kind);
  bool passes(double value) const {
    return std::abs(value) <= largest_ && value >= least_ && !(above_zero_ && value == 0);
  }
  bool passes(std::int64_t value) const { return !is_upid_ || value >= -1; }

 private:
  double largest_, least_;
  bool above_zero_, is_upid_;
};
/// What is expected there.
const char* expectation(const ColumnKind& kind);

/// Box size, number of cubes, redshift and cosmology.
void check_header(const Catalog& catalog, std::string_view where);
/// Names and types of the columns, that x, y and z are there, and that all are as long.
void check_columns(const Catalog& catalog, std::string_view where);
/// Header, names, types, lengths, values: everything but the wrapping of positions.
void check_catalog(const Catalog& catalog, std::string_view where);
/// The values alone. Row 0 of `part` is row `first_row` of the catalog.
void check_rows(const Catalog& part, std::string_view where, std::int64_t first_row);
/// Whether a position lies so far outside its cube that the box size or the unit must be another; and the
/// sentence.
bool is_far_outside(double position, double box_size);
[[noreturn]] void fail_far_outside(const std::string& where, std::string_view axis, double position,
                                   double box_size);
void check_length(std::string_view name, std::int64_t rows, std::int64_t rows_of_x, std::string_view where);

/// Wraps positions within one side of the cube into [0, box_size); how many rows were moved.
std::int64_t wrap_positions(Catalog& catalog);

}  // namespace umbra
