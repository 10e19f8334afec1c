// Samples: rows of a data file as the training loop takes them, inputs and values standardised.
#pragma once

#include <vector>

#include "models/tasks/dataset/data_file.h"
#include "models/tasks/dataset/fitted.h"

namespace umbra {

class Samples final : public Dataset {
 public:
  /// `inputs`, `targets` and `fit` must outlive it; `targets` may hold no numbers, and are zeros then.
  /// `flips`: augmented samples, images, are flipped left to right at random.
  Samples(const InputRows& inputs, const std::vector<double>& targets, std::vector<std::int64_t> rows,
          const DatasetFit& fit, bool flips);
  std::int64_t size() const override { return static_cast<std::int64_t>(rows_.size()); }
  Shape input_shape() const override { return fit_.input_shape; }
  Shape target_shape() const override { return fit_.classes > 0 ? Shape{} : Shape{fit_.values()}; }
  DType target_dtype() const override { return fit_.classes > 0 ? DType::kI32 : DType::kF32; }
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
