// What the small models of evaluate know about a sub-box: a few numbers of its halos, whatever the network sees of them.
#pragma once

#include <string>
#include <vector>

#include "data/boxes/box_halos.h"
#include "data/boxes/boxes.h"
#include "engine/cpu/cholesky.h"

namespace umbra {

/// The name of the summary without parameters and with one feature.
inline constexpr const char* kHistogramSummary = "the histogram of the input";
/// The name of the summary that has nothing else.
inline constexpr const char* kParametersSummary = "the parameters";
/// The name of the summary of all features of the halos.
inline constexpr const char* kFeaturesSummary = "all features";

/// Columns of every sub-box, standardised with the mean and deviation of the training boxes, in groups that belong
/// together.
struct Summary {
  std::string name;            ///< as in "ridge on " + name
  std::vector<Matrix> groups;  ///< [group][box of the set][column]

  /// All groups side by side. [box][column]
  Matrix columns() const;
};

/// The summaries of the sub-boxes.
struct Summaries {
  Matrix histogram;           ///< the numbers of cells in the 24 bins of the histogram. [box][bin]
  std::vector<Summary> list;  ///< see summaries_of()
};

/// The halos that summaries_of() needs, in voxels of 1 Mpc/h. Their first feature is the axis of the histogram: the
/// first of `options.features` that is a column other than is_satellite, which has two values, or else vpeak. The others are the remaining features that are
/// quantities of a halo: columns, expressions and residuals. Throws Error as make_boxes() does.
BoxHalos summary_halos(const Catalog& catalog, const BoxOptions& options);

/// The summaries of the sub-boxes:
///
///     kHistogramSummary    log(1 + cells above v) for v at the lower edges of 24 logarithmic bins between the extremes
///                          of the training boxes, a group; and log(1 + all halos), another. The cells are the occupied
///                          ones of 1 Mpc/h, each with the mean axis of its halos
///     kParametersSummary   in a catalog whose cubes differ in parameters: each is a group, as its logarithm if all are
///                          positive
///     "the histogram and the parameters"
///     kFeaturesSummary     if there are other features than the axis: the histogram, and for each of them a group: its
///                          means over the halos of kFeatureBins bins of the axis with equal numbers of training halos
///     "all features and the parameters"
///
/// Means are drawn to that of all training halos of the bin by the weight of kPriorHalos halos, so that few halos do not
/// make an outlier. A column that is the same in all training boxes is left out. Nothing depends on the voxels of the
/// network's input.
Summaries summaries_of(const BoxSet& boxes, const BoxHalos& halos, const std::vector<std::int64_t>& train);

/// Bins of the axis for the means of a feature.
inline constexpr std::size_t kFeatureBins = 6;
/// The weight of the mean over all training halos, in halos.
inline constexpr double kPriorHalos = 6;

/// The number of galaxies of every box of `which` in every mass bin. [which][bins]
Matrix galaxy_counts(const BoxSet& boxes, const std::vector<std::int64_t>& which);

/// `rows` of `of`, in their order.
Matrix chosen(const Matrix& of, const std::vector<std::int64_t>& rows);

}  // namespace umbra
