// What all importers do with what they have read: bad values, box size, cuts. Each is decided here once, so
// that the formats cannot differ in it.
#pragma once

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/catalogs/formats.h"

namespace umbra {

/// Throws Error for options that make no sense: a cut that is NaN, a column to drop that does not exist or
/// is needed.
void check_options(const ImportOptions& options);
/// x, y, z and vpeak: no format can do without them.
bool is_always_needed(std::string_view column);
/// Whether `column` is among those to drop.
bool is_dropped(const ImportOptions& options, std::string_view column);

/// The side of the cube: what the option or the file says, or else `otherwise`. Throws Error with both values
/// where they contradict one another, and when nothing says it. Notes when `otherwise` is taken.
double settled_box_size(const ImportOptions& options, std::optional<double> in_file,
                        std::optional<double> otherwise, const std::string& where, ImportReport& report);

/// Notes the cosmology of `catalog`, which a file without one is taken to have.
void note_assumed_cosmology(const Catalog& catalog, ImportReport& report);

/// A scale factor with as many digits behind the point as a name has.
struct NamedScale {
  double value = 0;
  int digits = 0;
  bool agrees_with(double scale) const { return std::abs(value - scale) <= std::pow(10.0, -digits) + 1e-4; }
};
/// That in a name such as "hlist_0.50112.list": the number behind `prefix`, if it is one.
std::optional<NamedScale> scale_in_name(const std::filesystem::path& path, std::string_view prefix);

/// The rows of a foreign file, not yet believed.
struct ImportRows {
  std::string where;                              // "file 'x.list'"
  std::function<std::string(std::size_t)> place;  // of a row: "line 9"
  std::vector<std::string_view> needed = {};      // columns besides x, y, z, vpeak that must stay
  bool box_size_assumed = false;                  // nobody has said it
};

/// The cuts; then what is bad in the rows that are left: columns or rows are left out as `options` say, or it
/// is an error; then everything validate() checks, and that a row is left.
void finish_import(Catalog& catalog, const ImportRows& rows, const ImportOptions& options,
                   ImportReport& report);

}  // namespace umbra
