// Everything without a network that evaluate compares networks with: a constant, linear models of the histogram, and
// the small models that know only summaries of a sub-box. A network that does not beat them has not learnt from
// positions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/base/stage.h"
#include "models/tasks/smf/summaries.h"

namespace umbra {

/// Predictions of a small model.
struct SmallModel {
  std::string name;                                    ///< "Gaussian process on the parameters"
  std::vector<double> predictions;                     ///< phi, [wanted, bins]
  std::vector<std::pair<std::string, double>> chosen;  ///< hyperparameters, chosen inside the training boxes
  double seconds = 0;                                  ///< to choose, fit and predict
};

/// Which small models: those that take a second, as before a training, or all.
enum class SmallModels {
  kFast,  ///< those that take about a second
  kAll    ///< also the Gaussian processes, ridge on the parameters, and all that know all features
};

/// The mean SMF, and from kFewestForRidge training boxes on ridge regression on the histogram and the parameters, and
/// Poisson regression and a Gaussian process on every summary; kFast leaves out the Gaussian processes, ridge on the
/// parameters, and all features. Fitted on the boxes `train`, for the boxes `wanted`. The same bits for any number of threads.
std::vector<SmallModel> small_models(const BoxSet& boxes, const Summaries& summaries,
                                     const std::vector<std::int64_t>& train,
                                     const std::vector<std::int64_t>& wanted, SmallModels which,
                                     const StageReport& progress = {});

}  // namespace umbra
