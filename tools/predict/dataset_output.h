// The predictions for a data file, written piece by piece.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/tasks/dataset/data_file.h"
#include "models/tasks/dataset/fitted.h"

namespace umbra {

struct OutputHead {
  std::string run, data;
  std::int64_t count = 0;
  std::vector<std::string> names;  // of classes or values, or none
  std::vector<std::string> files;  // the names of the samples, [count], or none
};

class DatasetOutput {
 public:
  virtual ~DatasetOutput() = default;
  /// Adds the network's outputs for the samples from `first` on, [samples, outputs].
  virtual void add(std::int64_t first, std::span<const double> predictions) = 0;
  /// Moves the file into place, with the targets of its data and `validation` [n], 1 for samples held out of
  /// training; both may be empty. Without this call no file is left.
  virtual void finish(const KnownTargets& targets, const std::vector<std::int64_t>& validation) = 0;
};

/// CSV if `out` ends in .csv or .CSV, otherwise HDF5.
///   HDF5, classes: probabilities [n, K], predicted [n], targets [n], validation [n]; their names as the
///     attribute `classes`. Values: predicted [n, k], targets [n, k], validation [n]; attribute `target_names`.
///     Both: files [n], the names of the samples, if there are any
///   CSV: a header; row, file if there are names of samples, predicted, name if there are names of classes, and a
///     probability per class; or row, file and a column per value
std::unique_ptr<DatasetOutput> make_dataset_output(const std::string& out, const OutputHead& head,
                                                   const DatasetFit& fit);

}  // namespace umbra
