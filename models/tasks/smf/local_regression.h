// Expected numbers of galaxies as a function of one quantity: a smooth curve through points, such as halos, each with
// its galaxies in some mass bins.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/cpu/cholesky.h"

namespace umbra {

/// Points of sub-boxes.
struct GalaxyPoints {
  std::vector<std::int64_t> begin;                    ///< [boxes + 1]: first point of each sub-box
  std::vector<double> x;                              ///< [point]
  std::vector<std::pair<std::size_t, int>> galaxies;  ///< (point, mass bin) of every galaxy
};

/// How far points contribute to the curve.
struct Bandwidth {
  double width = 0;  ///< standard deviation of the weights, in the unit of x
  double points =
      1;  ///< the fewest training points within `width`; where there are fewer, it is larger. At least 1
};

/// E[galaxies in a bin | x] by local linear regression with Gaussian weights (Fan & Gijbels 1996, section 2.3): at every
/// x the value of the straight line with the smallest weighted squares, or 0 if that is negative. x is rounded to 512
/// cells between its extremes. The same bits for any number of threads.
class LocalRegression {
 public:
  /// `group` [boxes]: the group of every training box, 0 to groups - 1; -1 for the other boxes.
  LocalRegression(const GalaxyPoints& points, std::size_t bins, const std::vector<int>& group, int groups);
  /// For every box the sum over its points of E[galaxies | x], according to the training boxes of all groups but
  /// `without` (-1: of all). [wanted][bins]
  Matrix predict(const std::vector<std::int64_t>& wanted, const Bandwidth& bandwidth, int without) const;

 private:
  using Curve = std::vector<std::vector<double>>;  // [cell]: points, then galaxies of the bins
  std::vector<double> value(const Curve& sums, const Bandwidth& bandwidth, std::size_t cell) const;

  std::size_t bins_;
  double step_ = 1;                  // of cells, in the unit of x
  std::vector<std::int64_t> begin_;  // of the points
  std::vector<std::size_t> cell_;    // [point]
  std::vector<Curve> sums_;          // [group]: over its points
};

}  // namespace umbra
