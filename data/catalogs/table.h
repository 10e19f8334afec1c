// Catalogs from tables of other programs whose columns have any names and units.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/catalogs/formats.h"

namespace umbra {

/// The options of read_table().
struct TableOptions {
  /// A column of a catalog and its expression each, e.g. "x=X/1000,stellar_mass=10**logM" (data/tables/expression.h).
  /// Columns that are not mentioned are read where the table has their names, in upper or lower case.
  std::string columns = "";
  /// The units of the values, e.g. "x=kpc/h,stellar_mass=log10(Msun)". Without it a column has the unit that the file
  /// gives or else that of a catalog.
  std::string units = "";
  std::string group = "";  ///< HDF5 group or FITS table, if there are several
  std::optional<double> h =
      std::nullopt;         ///< Hubble constant / (100 km/s/Mpc), if the file does not contain it
  ImportOptions rows = {};  ///< for the rows
};

/// Reads a table: HDF5 datasets of one group or a compound dataset, CSV or other text, or a FITS table
/// (data/tables/table.h). A column `box` makes a catalog of several cubes. Throws Error as the readers of formats.h do.
Catalog read_table(const std::filesystem::path& path, const TableOptions& options,
                   ImportReport* report = nullptr);

}  // namespace umbra
