// DatasetFit: the scaling of inputs and outputs of the dataset task, fitted on the training samples:
//   (input - input_mean) / input_scale -> network -> logits of classes, or z; value = z target_scale + target_mean
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/tasks/task.h"

namespace umbra {

/// The scaling of a run of the dataset task.
struct DatasetFit {
  Shape input_shape;                  ///< of one sample: [channels, …]
  std::int64_t classes = 0;           ///< 0 when values are learnt
  std::vector<double> input_mean,     ///< [channels]
      input_scale;                    ///< [channels]
  std::vector<double> class_weights;  ///< [classes] in the loss; empty: all 1
  std::vector<double> target_mean,    ///< [values]; empty for classes
      target_scale;                   ///< [values]; empty for classes
  /// [classes]: the integers that a table calls classes with names; empty: none or not known.
  std::vector<double> class_numbers = {};
  /// [n]: sample_key() of every sample that has a name; empty: none or not known.
  std::vector<double> sample_keys = {};
  /// [n]: what each of them was used for, the number of its SamplePart.
  std::vector<double> sample_parts = {};

  /// The number of values per sample, 0 for classes.
  std::int64_t values() const { return static_cast<std::int64_t>(target_mean.size()); }
  /// The number of outputs of the network: one logit per class, or one z per value.
  std::int64_t outputs() const { return classes > 0 ? classes : values(); }
  /// Standardises the inputs of one sample: (number - input_mean) / input_scale, by channel.
  void standardise(std::span<const double> numbers, std::span<float> input) const;
  /// The target z of the network for the k-th value of a sample.
  double standardised(double value, std::size_t k) const {
    return (value - target_mean[k]) / target_scale[k];
  }
  /// The k-th value that the output `z` of the network means.
  double value(double z, std::size_t k) const { return z * target_scale[k] + target_mean[k]; }
};

/// The numbers by name, as checkpoints store them.
Fitted to_map(const DatasetFit& fit);
/// The inverse of to_map(). Throws Error, which begins with `where`, when a number is missing or invalid.
DatasetFit dataset_fit(const Fitted& fitted, const std::string& where);

}  // namespace umbra
