// The observed stellar mass function at z = 0.01-0.20 of Moustakas et al. (2013), ApJ 767, 50
// (arXiv:1301.1688), as distributed with the observational constraints of UniverseMachine (Behroozi et al.
// 2019) and used by the authors of Nadler & To (2018) for the weights of their loss. It carries
// UniverseMachine's conversions for dust, stellar population synthesis and photometry, so it differs by
// 0.01-0.02 dex from the table printed in the paper. h = 0.7.
#pragma once

#include <span>

namespace umbra {

/// A bin of the observed stellar mass function.
struct ObservedSmfRow {
  double low,         ///< lower edge, log10 M*/Msun
      high;           ///< upper edge, log10 M*/Msun
  double phi;         ///< Mpc^-3 dex^-1
  double error_high,  ///< upper error of phi, linear, as in the file
      error_low;      ///< lower error of phi, linear, as in the file

  /// The larger of the two errors.
  double sigma() const { return error_high > error_low ? error_high : error_low; }
};

/// The Hubble constant / (100 km/s/Mpc) of the masses and densities.
inline constexpr double kMoustakasH = 0.7;

/// 34 bins of 0.1 dex in ascending mass, 9.0 to 12.4.
std::span<const ObservedSmfRow> moustakas2013_smf();
/// The row of the bin that contains `centre`, or nullptr outside the table.
const ObservedSmfRow* moustakas2013_at(double centre);

}  // namespace umbra
