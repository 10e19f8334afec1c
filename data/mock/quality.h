// How good a mock is: every figure measured on the catalog, with the published number it should have and how
// far one box may stray from it. The tool prints these figures; the tests check the same ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/catalogs/catalog.h"

namespace umbra::mock {

struct Figure {
  std::string name;
  std::string unit;
  double value = 0;
  double target = 0;
  double tolerance =
      0;             // one standard deviation of a single box, counting and cosmic variance; 0: not judged
  std::string note;  // why it is not judged, or where the target comes from

  bool judged() const { return tolerance > 0; }
  /// How many standard deviations lie between value and target.
  double deviation() const { return judged() ? (value - target) / tolerance : 0; }
};

/// All figures of a catalog of one box that holds x, y, z, vpeak, upid and stellar_mass, complete above
/// `min_vpeak`. Figures that the box is too small to show are left out or not judged.
std::vector<Figure> quality(const Catalog& catalog, double min_vpeak);

/// The figures as a table for a terminal, one line each.
std::string quality_table(const std::vector<Figure>& figures);

/// Rows of isolated galaxies with log10 M* between `low` and `high`, chosen as the hosts of O'Donnell,
/// Behroozi & More 2021 were: no heavier galaxy within 2 Mpc (1.356 Mpc/h) across the line of sight z and 10
/// Mpc/h (1000 km/s) along it, but in real instead of redshift space, because catalogs hold no velocities.
std::vector<std::int64_t> isolated_galaxies(const Catalog& catalog, double low, double high);

/// Counts of galaxies in cubic cells: mean, and the variance of the counts less the mean, over the mean
/// squared.
struct CellCounts {
  std::int64_t cells = 0;
  double mean = 0;
  double variance = 0;
};
/// Cells of `side` Mpc/h, as many as fit the box, from its corner. With `rows` empty there are no counts.
CellCounts cell_counts(const Catalog& catalog, const std::vector<std::int64_t>& rows, double side);

}  // namespace umbra::mock
