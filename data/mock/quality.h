// The quality of a mock: figures measured on the catalog, each with its published value and the standard
// deviation of a single box. The tool prints these figures; the tests check the same ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/catalogs/catalog.h"

namespace umbra::mock {

/// A measured quantity and its target.
struct Figure {
  std::string name;   ///< for the table
  std::string unit;   ///< of value and target; may be empty
  double value = 0;   ///< measured
  double target = 0;  ///< expected
  /// One standard deviation of a single box, from counting and cosmic variance; 0: not judged.
  double tolerance = 0;
  std::string note;  ///< the source of the target, or why the figure is not judged

  /// Whether the figure is compared with its target.
  bool judged() const { return tolerance > 0; }
  /// (value - target) in standard deviations; 0 if not judged.
  double deviation() const { return judged() ? (value - target) / tolerance : 0; }
};

/// All figures of a catalog of one box with the columns x, y, z, vpeak, upid and stellar_mass, complete
/// above `min_vpeak` (km/s). Figures for which the box is too small are left out or not judged.
std::vector<Figure> quality(const Catalog& catalog, double min_vpeak);

/// The figures as a table for a terminal, one line each.
std::string quality_table(const std::vector<Figure>& figures);

/// Rows of isolated galaxies with log10 M*/Msun between `low` and `high`, chosen like the hosts of O'Donnell,
/// Behroozi & More (2021): no heavier galaxy within 2 Mpc (1.356 Mpc/h) across the line of sight z and 10
/// Mpc/h (1000 km/s) along it, but in real instead of redshift space, because catalogs hold no velocities.
std::vector<std::int64_t> isolated_galaxies(const Catalog& catalog, double low, double high);

/// Statistics of the number of galaxies in cubic cells.
struct CellCounts {
  std::int64_t cells = 0;  ///< number of cells
  double mean = 0;         ///< galaxies per cell
  double variance = 0;     ///< (variance of the counts - mean) / mean^2
};
/// Counts the galaxies `rows` in cells of `side` Mpc/h, as many as fit the box, from its corner. Mean and
/// variance are 0 if `rows` is empty.
CellCounts cell_counts(const Catalog& catalog, const std::vector<std::int64_t>& rows, double side);

}  // namespace umbra::mock
