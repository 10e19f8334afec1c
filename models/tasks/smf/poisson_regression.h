// A small model of counts: log E[N] is linear in the summaries of a sub-box, and N is Poisson.
#pragma once

#include <vector>

#include "data/boxes/boxes.h"
#include "models/tasks/smf/summaries.h"

namespace umbra {

/// The result of poisson_regression().
struct PoissonRegression {
  std::vector<double> predictions;  ///< phi, [wanted, bins]
  double penalty = 0;               ///< chosen by five-fold cross-validation on the training boxes
};
/// Maximises for every mass bin
///
///     sum over training boxes (N log mu - mu) - penalty / 2 * (sum of N) * |w|^2,  log mu = log V + c + w . x
///
/// with the counts N and the summaries x of the boxes; all sub-boxes have the same volume V. Newton's method. The
/// penalty, the same for all bins, has the smallest chi^2 of phi on held-out training boxes. mu is at most one galaxy
/// above the largest count of the training boxes, because an exponential must not extrapolate without limit. A bin
/// without galaxies in the training boxes is predicted to have none. Needs 6 training boxes.
PoissonRegression poisson_regression(const BoxSet& boxes, const Summary& summary,
                                     const std::vector<std::int64_t>& train,
                                     const std::vector<std::int64_t>& wanted);

}  // namespace umbra
