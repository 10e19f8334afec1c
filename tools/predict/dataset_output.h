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
  std::vector<SamplePart> parts;   // what the run used the samples for, [count]; none if that is not known
};

class DatasetOutput {
 public:
  virtual ~DatasetOutput() = default;
  /// Adds the network's outputs for the samples from `first` on, [samples, outputs].
  virtual void add(std::int64_t first, std::span<const double> predictions) = 0;
  /// Moves the file into place, with the targets of its data, which may be empty. Without this call no file is left.
  virtual void finish(const KnownTargets& targets) = 0;
};

/// CSV if `out` ends in .csv or .CSV, otherwise HDF5.
///   HDF5, classes: probabilities [n, K], predicted [n], targets [n]; their names as the attribute `classes`. Values:
///     predicted [n, k], targets [n, k]; attribute `target_names`. Both: files [n], the names of the samples, if there
///     are any; and if the run knows its samples, split [n] (SamplePart, -1: new) and validation [n] (1: validated on)
///   CSV: a header; row, file if there are names of samples, predicted, name if there are names of classes, and a
///     probability per class; or row, file and a column per value. At the end split (train, val, test, none or new), if
///     the run knows its samples
std::unique_ptr<DatasetOutput> make_dataset_output(const std::string& out, const OutputHead& head,
                                                   const DatasetFit& fit);

}  // namespace umbra
