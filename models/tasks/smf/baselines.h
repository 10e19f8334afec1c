// The baselines of the SMF task: the mean SMF of the training boxes, and ridge regression. And the chi^2 of counting
// noise, for comparison.
#pragma once

#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/cpu/cholesky.h"

namespace umbra {

inline constexpr const char* kMeanName = "mean SMF";  ///< of mean_baseline() in reports
inline constexpr const char* kRidgeName = "ridge on the histogram of the input";  ///< of Summaries::histogram
inline constexpr std::size_t kFewestForRidge = 6;  ///< training boxes that ridge_regression() needs

/// The remark for the user where there are only `boxes` training boxes, too few for any model but the mean.
std::string without_ridge(std::size_t boxes);

/// The mean label of the training boxes, repeated for each of `wanted`: [wanted, bins].
std::vector<double> mean_baseline(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                                  const std::vector<std::int64_t>& wanted);

/// The result of ridge_regression().
struct RidgeBaseline {
  std::vector<double> predictions;  ///< [wanted, bins]
  double penalty = 0;               ///< chosen by five-fold cross-validation on the training boxes
};
/// Ridge regression of every mass bin on the columns `x` of the boxes `train` [train][column], for boxes with the columns
/// `of_wanted`. Throws Error with fewer than kFewestForRidge training boxes.
RidgeBaseline ridge_regression(const BoxSet& boxes, const std::vector<std::int64_t>& train, const Matrix& x,
                               const Matrix& of_wanted);

inline constexpr const char* kPoissonName = "Poisson noise of the counts";  ///< of poisson_chi2() in reports
/// The chi^2 that Poisson noise leaves when the expected phi of every box is predicted: the sum over bins of
///
///     <N> / (V w sigma)^2 = <phi> / (V w sigma^2)
///
/// with the mean count `<N>` of the boxes `wanted`, the volume V of a sub-box, and the bin width w (1 unless
/// per_dex). A model that also sees which halos a galaxy can occupy may reach less, because the number of
/// halos limits the counts.
double poisson_chi2(const BoxSet& boxes, const std::vector<std::int64_t>& wanted);

}  // namespace umbra
