// Samples: rows of a data file as a Dataset for the training loop, with inputs and values standardised.
#pragma once

#include <vector>

#include "models/tasks/dataset/data_file.h"
#include "models/tasks/dataset/fitted.h"

namespace umbra {

/// Some rows of a data file as a Dataset.
class Samples final : public Dataset {
 public:
  /// `inputs`, `targets` and `fit` must outlive this object. If `targets` is empty, all targets are 0.
  /// `flips`: augmented samples, which must be images, are flipped left to right with probability 1/2.
  Samples(const InputRows& inputs, const std::vector<double>& targets, std::vector<std::int64_t> rows,
          const DatasetFit& fit, bool flips);
  /// The number of samples.
  std::int64_t size() const override { return static_cast<std::int64_t>(rows_.size()); }
  /// [channels, …]
  Shape input_shape() const override { return fit_.input_shape; }
  /// [] for classes, [values] for values.
  Shape target_shape() const override { return fit_.classes > 0 ? Shape{} : Shape{fit_.values()}; }
  /// kI32 for classes, kF32 for values.
  DType target_dtype() const override { return fit_.classes > 0 ? DType::kI32 : DType::kF32; }
  /// Reads and standardises sample `index`; flips it at random when `augmentation` is not null.
  void read(std::int64_t index, const Rng* augmentation, std::span<float> input,
            std::span<float> target) const override;

 private:
  const InputRows& inputs_;
  const std::vector<double>& targets_;  // [rows of the file, numbers of a target]
  std::vector<std::int64_t> rows_;
  const DatasetFit& fit_;
  bool flips_;
};

}  // namespace umbra
