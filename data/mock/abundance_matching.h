// Stellar masses by abundance matching: the n-th fastest halo hosts the n-th heaviest galaxy, up to a
// scatter of 0.2 dex (Conroy, Wechsler & Kravtsov 2006; Behroozi, Conroy & Wechsler 2010, section 3).
//
// Scatter moves many light galaxies up and few heavy ones down, so scattering the relation without scatter
// would overshoot the stellar mass function. The relation m(n) used here is deconvolved: with scatter it
// reproduces the target. It depends on n(>V) alone, not on the halos of one box, so that a galaxy's mass is
// a function of its own Vpeak and its own draw.
#pragma once

#include <span>
#include <vector>

#include "data/observations/um_dr1.h"

namespace umbra::mock {

constexpr double kStellarScatter = 0.2;  ///< dex at fixed Vpeak

/// A stellar mass function phi(m), m = log10 M*/Msun, in (h/Mpc)^3 per dex, as cumulative n(>m).
class StellarMassFunction {
 public:
  /// From rows in Mpc^-3 dex^-1 measured with `h`. Rows with less than 1e-6 Mpc^-3 dex^-1 (a handful of
  /// galaxies) are left out. The bright end follows the parabola of ln phi through the last three rows, the
  /// faint end the straight line through the first and third. Throws Error unless centres ascend and there
  /// are three rows with galaxies.
  StellarMassFunction(std::span<const SmfRow> rows, double h);

  double phi(double log_mass) const;         ///< (h/Mpc)^3 per dex
  double cumulative(double log_mass) const;  ///< n(>m), (h/Mpc)^3
  double mass_at(double density) const;      ///< the m above which there are `density` (h/Mpc)^3
  /// n(>low) - n(>high), (h/Mpc)^3.
  double between(double low, double high) const { return cumulative(low) - cumulative(high); }

 private:
  double log_phi(double log_mass) const;
  std::vector<double> centre_, ln_phi_;        // the rows kept
  std::vector<double> grid_mass_, grid_ln_n_;  // n(>m) on a fine grid, m ascending
};

/// The median log10 M*/Msun of halos as a function of their cumulative density n, with scatter taken out.
class StellarRelation {
 public:
  /// Deconvolves the relation so that with a scatter of `scatter` dex it reproduces `target`.
  StellarRelation(const StellarMassFunction& target, double scatter);

  /// The median log10 M*/Msun at cumulative density `density`, (h/Mpc)^3.
  double median(double density) const;
  /// n(>m) of the relation after scattering it, to compare with the target.
  double scattered_cumulative(double log_mass) const;
  /// The fraction of galaxies of this mass in halos of cumulative density below `density`, that is, faster
  /// than a minimum.
  double completeness(double log_mass, double density) const;

 private:
  double scatter_;
  std::vector<double> ln_n_, n_, mass_;  // one grid: n ascending, mass descending
};

}  // namespace umbra::mock
