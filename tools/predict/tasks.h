// What predict does for each task: reads the data, runs the network over all of it, writes the predictions. There is
// one function predict_NAME for every task of models/tasks/tasks.def.
#pragma once

#include <optional>
#include <string>

#include "tools/common/ensemble.h"

namespace umbra {

struct PredictArguments {
  std::string run, data, out, device = "auto";
  std::optional<Precision> precision;  // as trained
  bool overwrite = false;
  StageReport progress;
};

/// Whether a path ends in .csv, ignoring case.
bool is_csv(const std::string& path);

/// smf_predicted, smf_true [n, bins], box [n], validation [n] of every sub-box of a catalog; of an ensemble the mean
/// prediction, and smf_predicted_scatter.
void predict_smf(const PredictArguments& arguments, const Networks& networks);
/// The predictions for every sample of a data set: HDF5, or CSV if --out ends in .csv. Of an ensemble, the mean value
/// or probability.
void predict_dataset(const PredictArguments& arguments, const Networks& networks);

}  // namespace umbra
