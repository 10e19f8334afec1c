// What the small models of evaluate know about a sub-box: a few numbers instead of a grid.
#pragma once

#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "models/tasks/smf/cholesky.h"

namespace umbra {

/// The name of the summary without parameters.
inline constexpr const char* kHistogramSummary = "the histogram of the input";
/// The name of the summary that has nothing else.
inline constexpr const char* kParametersSummary = "the parameters";

/// Columns of every sub-box, standardised with the mean and deviation of the training boxes, in groups that belong
/// together.
struct Summary {
  std::string name;            ///< as in "ridge on " + name
  std::vector<Matrix> groups;  ///< [group][box of the set][column]

  /// All groups side by side. [box][column]
  Matrix columns() const;
};

/// The summaries of the sub-boxes: kHistogramSummary, and in a catalog whose cubes differ in parameters
/// also kParametersSummary and "the histogram and the parameters".
///
/// The histogram is one group of log(1 + occupied voxels above v), for v at the lower edges of the 24 bins of
/// ridge_baseline(), and one of log(1 + halos in the input). Every parameter of the simulation is a group, as its
/// logarithm if all are positive. A column that is the same in all training boxes is left out.
std::vector<Summary> summaries_of(const BoxSet& boxes, const std::vector<std::int64_t>& train);

/// Counts of occupied voxels of all boxes in 24 logarithmic bins of the histogram feature, between the extremes of the
/// training boxes. [box][bin]
Matrix input_histograms(const BoxSet& boxes, const std::vector<std::int64_t>& train);

/// The number of galaxies of every box of `which` in every mass bin. [which][bins]
Matrix galaxy_counts(const BoxSet& boxes, const std::vector<std::int64_t>& which);
/// The number that turns a count into the unit of boxes.smf: count / galaxies_per_phi() = phi.
double galaxies_per_phi(const BoxOptions& options);

/// `rows` of `of`, in their order.
Matrix chosen(const Matrix& of, const std::vector<std::int64_t>& rows);

}  // namespace umbra
