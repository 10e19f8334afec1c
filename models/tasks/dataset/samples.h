// Samples: rows of a data file as a Dataset for the training loop, with inputs and values standardised.
#pragma once

#include <vector>

#include "models/tasks/dataset/augmentation.h"
#include "models/tasks/dataset/data_file.h"
#include "models/tasks/dataset/fitted.h"

namespace umbra {

/// How Samples are presented.
struct SampleOptions {
  AugmentationOptions augmentation;  ///< of images
  /// What a flip exchanges, of each class or value (mirror_of()); empty: nothing.
  std::vector<std::int64_t> mirror = {};
  /// Of classes: targets are the shares of all classes, f32 [classes], instead of a label. With augmentation and mixup > 0
  /// a sample is mixed with another of the dataset (Zhang et al. 2018, arXiv:1710.09412), in shares drawn from the beta
  /// distribution with the parameters mixup and mixup.
  bool shares = false;
  double mixup = 0;      ///< see `shares`
  double smoothing = 0;  ///< part of the target that is spread evenly over all classes; needs `shares`
};

/// Some rows of a data file as a Dataset.
class Samples final : public Dataset {
 public:
  /// `inputs`, `targets` and `fit` must outlive this object. If `targets` is empty, all targets are 0.
  Samples(const InputRows& inputs, const std::vector<double>& targets, std::vector<std::int64_t> rows,
          const DatasetFit& fit, SampleOptions options = {});
  /// The number of samples.
  std::int64_t size() const override { return static_cast<std::int64_t>(rows_.size()); }
  /// [channels, …]
  Shape input_shape() const override { return fit_.input_shape; }
  /// [] for labels, [classes] for shares of classes, [values] for values.
  Shape target_shape() const override;
  /// kI32 for labels, kF32 for shares and values.
  DType target_dtype() const override { return has_labels() ? DType::kI32 : DType::kF32; }
  /// Reads and standardises sample `index`; augments and mixes it when `augmentation` is not null.
  void read(std::int64_t index, const Rng* augmentation, std::span<float> input,
            std::span<float> target) const override;

 private:
  bool has_labels() const { return fit_.classes > 0 && !options_.shares; }
  // Reads a sample, with the random numbers from `first` on, and adds its target, times `share`, to `target`.
  void read_one(std::int64_t index, const Rng* augmentation, std::uint64_t first, std::span<float> input,
                std::span<float> target, double share) const;
  void add_target(std::int64_t row, bool flipped, std::span<float> target, double share) const;

  const InputRows& inputs_;
  const std::vector<double>& targets_;  // [rows of the file, numbers of a target]
  std::vector<std::int64_t> rows_;
  const DatasetFit& fit_;
  SampleOptions options_;
};

}  // namespace umbra
