// What predict writes of a data file, piece by piece as it comes.
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
};

class DatasetOutput {
 public:
  virtual ~DatasetOutput() = default;
  /// What the network puts out for samples from `first` on, [samples, outputs].
  virtual void add(std::int64_t first, std::span<const double> predictions) = 0;
  /// Puts the file in place, with what its data say themselves and which samples were held out of training
  /// (1), [n]; each may be missing. Without it nothing is left behind.
  virtual void finish(const KnownTargets& targets, const std::vector<std::int64_t>& validation) = 0;
};

/// CSV where `out` ends in .csv or .CSV, else HDF5.
///   HDF5, classes: probabilities [n, K], predicted [n], targets [n], validation [n]; their names as the
///     attribute `classes`. Values: predicted [n, k], targets [n, k], validation [n]; attribute `target_names`
///   CSV: a header; row, predicted, name where there are names, and a probability per class; or row and a
///     column per value
std::unique_ptr<DatasetOutput> make_dataset_output(const std::string& out, const OutputHead& head,
                                                   const DatasetFit& fit);

}  // namespace umbra
