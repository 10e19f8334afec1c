// The ranges of the columns of a table, and which of their values a catalog cannot have.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "data/catalogs/table_columns.h"

namespace umbra {

/// One column.
struct ColumnFacts {
  std::string name;  ///< in the catalog or, for a column that it does not take, in the table
  std::string from;  ///< the expression, where it is not the name
  std::string unit;  ///< of the numbers below
  double smallest = std::numeric_limits<double>::infinity(), largest = -smallest;  ///< of the good values
  std::int64_t bad = 0;       ///< values that are not numbers or that a catalog cannot have
  bool is_read = true;        ///< false: the catalog does not take it
  bool is_logarithm = false;  ///< masses that must be logarithms
  bool is_too_light = false;  ///< masses that must be in another unit
};

/// The columns of a table or of its first rows.
struct Survey {
  std::vector<ColumnFacts> columns;  ///< those of the catalog in their order, then the others
  std::int64_t rows = 0;             ///< that were read
  bool is_complete = true;           ///< whether these are all rows

  /// The column called `name`, or null.
  const ColumnFacts* find(std::string_view name) const;
  /// As aligned lines with a header.
  std::vector<std::string> lines() const;
};

/// Reads the columns of `choices` and, if `others`, all others. `box_size` in Mpc/h: positions far outside are bad values;
/// 0: not known. Binary files are read column by column, text up to a number of rows.
Survey survey(Table& table, const std::vector<TableChoice>& choices, bool others, double box_size);

}  // namespace umbra
