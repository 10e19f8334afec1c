// Units of columns, as files and users write them: "kpc/h", "ckpc h^-1", "1e10 Msun/h", "log10(Msun)", "km s-1", "solMass / yr".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace umbra {

/// A unit: factor * Mpc^length * Msun^mass * yr^time * h^hubble, where h is the Hubble constant / (100 km/s/Mpc).
struct ColumnUnit {
  double factor = 1;          ///< in units of Mpc, Msun and yr
  int length = 0,             ///< exponent of the length
      mass = 0,               ///< exponent of the mass
      time = 0,               ///< exponent of the time
      hubble = 0;             ///< exponent of h
  bool is_logarithm = false;  ///< the numbers are log10 of a quantity in this unit
};

/// The unit that the text means, or nothing. An empty text, "1" and "none" mean a number without unit.
std::optional<ColumnUnit> parse_unit(std::string_view text);

/// How numbers in one unit become numbers in another.
struct UnitChange {
  double factor = 1;          ///< to multiply by
  bool is_logarithm = false;  ///< 10 to the power of the number is multiplied
  /// Whether the numbers stay what they are.
  bool is_none() const { return factor == 1 && !is_logarithm; }
  /// The converted number.
  double operator()(double number) const;
};

/// The change from the unit `from` of column `column` to `to`, a unit of catalogs. `h` is needed if only one of the two
/// contains it. Throws Error, which begins with `where`, for a unit that is unknown or of another kind, and for an h that
/// is missing.
UnitChange unit_change(std::string_view from, std::string_view to, std::optional<double> h,
                       std::string_view column, std::string_view where);

}  // namespace umbra
