// The last steps of all importers: bad values, box size, cuts. They are shared so that all formats behave
// alike.
#pragma once

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/catalogs/formats.h"

namespace umbra {

/// Throws Error when a cut is NaN or a column to drop does not exist or is needed.
void check_options(const ImportOptions& options);
/// Whether every format needs the column: x, y, z and vpeak.
bool is_always_needed(std::string_view column);
/// Whether `column` is to be dropped.
bool is_dropped(const ImportOptions& options, std::string_view column);

/// The side of the cube in Mpc/h: that of the options, else of the file, else `otherwise`, which adds a
/// note to `report`. Throws Error when options and file differ, and when there is none.
double settled_box_size(const ImportOptions& options, std::optional<double> in_file,
                        std::optional<double> otherwise, const std::string& where, ImportReport& report);

/// The bytes that ByteReader will read from `path`, for reports of progress: the size of a file, or 0, unknown,
/// for a pipe and for what is compressed.
std::int64_t bytes_to_read(const std::filesystem::path& path);

/// Adds a note with the cosmology of `catalog`, which is assumed for files without one.
void note_assumed_cosmology(const Catalog& catalog, ImportReport& report);

/// A scale factor from a file name.
struct NamedScale {
  double value = 0;  ///< the scale factor, 1 today
  int digits = 0;    ///< digits after the point in the name
  /// Whether `scale` equals the value to within its rounding.
  bool agrees_with(double scale) const { return std::abs(value - scale) <= std::pow(10.0, -digits) + 1e-4; }
};
/// The number after `prefix` in a name such as "hlist_0.50112.list", if it is a scale factor.
std::optional<NamedScale> scale_in_name(const std::filesystem::path& path, std::string_view prefix);

/// The origin of imported rows, for messages and checks.
struct ImportRows {
  std::string where;                              ///< "file 'x.list'"
  std::function<std::string(std::size_t)> place;  ///< of a row: e.g. "line 9"
  std::vector<std::string_view> needed = {};  ///< columns besides x, y, z, vpeak that must not be left out
  bool box_size_assumed = false;              ///< neither the file nor the options contain it
};

/// Applies the cuts; then leaves out columns or rows with bad values as `options` say, or throws Error;
/// then validates the catalog. Throws Error when no row is left.
void finish_import(Catalog& catalog, const ImportRows& rows, const ImportOptions& options,
                   ImportReport& report);

}  // namespace umbra
