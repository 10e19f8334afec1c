// A small model that needs no shape of the relation: a Gaussian process on the square roots of counts.
#pragma once

#include <vector>

#include "data/boxes/boxes.h"
#include "models/tasks/smf/summaries.h"

namespace umbra {

/// The most training boxes that gaussian_process() uses: its time grows with their third power.
inline constexpr std::size_t kMostGaussian = 2000;

/// The result of gaussian_process().
struct GaussianProcess {
  std::vector<double> predictions;  ///< phi, [wanted, bins]
  double noise = 0;                 ///< variance of the noise, in units of the variance of sqrt(N) over boxes
  std::vector<double> relevance;    ///< w of every group of the summary
};
/// The mean of a Gaussian process for sqrt(N) of every mass bin (standardised with its mean and deviation over the
/// training boxes; the square root makes the Poisson noise of the count N about the same everywhere, Anscombe 1948).
/// The kernel and the noise are the same for all bins:
///
///     k(x, x') = exp(-1/2 sum over groups g of w_g d_g(x, x')),  d_g: mean squared difference of the columns of g
///
/// E[N] is the square of the mean plus the variance of the residuals of the bin. w_g and the noise have the smallest
/// chi^2 of phi when every training box is predicted from the others (leave one out, in closed form: Rasmussen &
/// Williams 2006, section 5.4.2). They are sought one after the other in steps of a factor 4, then 2, on at most 400
/// training boxes; the residuals are those of all. Of more than kMostGaussian training boxes, evenly spaced ones are
/// used. Needs 6 training boxes.
GaussianProcess gaussian_process(const BoxSet& boxes, const Summary& summary,
                                 const std::vector<std::int64_t>& train,
                                 const std::vector<std::int64_t>& wanted);

}  // namespace umbra
