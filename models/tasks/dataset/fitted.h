// DatasetFit: the numbers around a network of the dataset task, fitted on the training samples:
//   (input - input_mean) / input_scale -> network -> logits of classes, or z; value = z target_scale + target_mean
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/tasks/task.h"

namespace umbra {

struct DatasetFit {
  Shape input_shape;                              // of one sample: [channels, …]
  std::int64_t classes = 0;                       // 0: values
  std::vector<double> input_mean, input_scale;    // [channels]
  std::vector<double> target_mean, target_scale;  // [values]

  std::int64_t values() const { return static_cast<std::int64_t>(target_mean.size()); }
  std::int64_t outputs() const { return classes > 0 ? classes : values(); }
  /// Numbers of one sample as the network sees them.
  void standardise(std::span<const double> numbers, std::span<float> input) const;
  /// Between a sample's k-th value and what the network puts out for it.
  double standardised(double value, std::size_t k) const {
    return (value - target_mean[k]) / target_scale[k];
  }
  double value(double z, std::size_t k) const { return z * target_scale[k] + target_mean[k]; }
};

Fitted to_map(const DatasetFit& fit);
/// Throws Error naming `where` when a number is missing or cannot be.
DatasetFit dataset_fit(const Fitted& fitted, const std::string& where);

}  // namespace umbra
