// What a network has to beat: the mean SMF of the training boxes, and ridge regression on the histogram of
// the input grid's values, which knows the halos of a box but not where they are.
#pragma once

#include <vector>

#include "data/boxes/boxes.h"

namespace umbra {

/// The mean label of the training boxes, for each of `wanted`: [wanted, bins] row by row.
std::vector<double> mean_baseline(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                                  const std::vector<std::int64_t>& wanted);

struct RidgeBaseline {
  std::vector<double> predictions;  // [wanted, bins]
  double penalty = 0;               // chosen by five-fold cross-validation on the training boxes
};
/// Ridge regression of every bin on counts of voxels in 24 logarithmic bins of the first feature.
RidgeBaseline ridge_baseline(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                             const std::vector<std::int64_t>& wanted);

}  // namespace umbra
