// Which columns of a table become which columns of a catalog, and in which units.
#pragma once

#include <string>
#include <vector>

#include "data/catalogs/table.h"
#include "data/tables/expression.h"
#include "data/tables/table.h"
#include "data/tables/units.h"

namespace umbra {

/// A column of the catalog to be.
struct TableChoice {
  const ColumnKind* kind;            ///< the column of the catalog
  Expression value;                  ///< its values
  std::vector<std::size_t> sources;  ///< columns of the table, as value.names()
  bool is_named;                     ///< the user named it; otherwise the table has its name
  UnitChange change = {};            ///< of the values
  std::string unit = "";             ///< of the values, where it is known
  /// Whether it is read as integers.
  bool is_integer() const { return kind->check == ColumnKind::Check::kInteger; }
};

/// Settles columns and units. Adds notes to `report`. Throws Error, with the closest name, for columns and units that do not
/// exist.
std::vector<TableChoice> choose_columns(const Table& table, const TableOptions& options,
                                        std::optional<double> h, const std::string& where,
                                        ImportReport& report);
/// The side of the cube in Mpc/h: files have it in the unit of their positions. Without a column x, or if x is a
/// calculation, that unit is not known.
std::optional<double> side_in_file(const TableHeader& header, const std::vector<TableChoice>& choices);
/// Throws Error, with the closest name, when x, y, z or vpeak is not among `choices`.
void check_needed_columns(const Table& table, const std::vector<TableChoice>& choices,
                          const std::string& where);

}  // namespace umbra
