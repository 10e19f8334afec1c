// Dataset: the interface between a source of samples and the training loop.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/box_window.h"
#include "engine/base/dtype.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/base/shape.h"

namespace umbra {

/// Boxes in host memory that samples are windows onto: [count, features, voxels, voxels, voxels].
struct BoxArray {
  std::span<const float> numbers;  ///< all elements, row-major
  std::int64_t count;              ///< number of boxes
  std::int64_t features;           ///< numbers per voxel
  std::int64_t voxels;             ///< voxels per side of a box
};

/// A source of samples with equal shapes.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;   ///< number of samples
  virtual Shape input_shape() const = 0;   ///< of one sample, such as [1, 25, 25, 25]
  virtual Shape target_shape() const = 0;  ///< of one sample, such as [14]
  /// For samples that are lists of different lengths: the extent of the first axis that sample `index` needs at least.
  /// A loader may read the samples of a batch with fewer rows than input_shape() has, all with the same number, and
  /// with as many fewer numbers of the target. 0 (the default): all samples have the full shape.
  virtual std::int64_t rows(std::int64_t /*index*/) const { return 0; }
  /// Type of the targets on the device: kF32, or kI32 for labels (below 2^24, so that a float holds them
  /// exactly).
  virtual DType target_dtype() const { return DType::kF32; }
  /// Writes sample `index` to `input` and `target`. With `augmentation`, the sample is transformed as drawn
  /// from that stream alone; null means no transformation. Must be thread-safe. Not called if boxes() is
  /// not null.
  virtual void read(std::int64_t index, const Rng* augmentation, std::span<float> input,
                    std::span<float> target) const = 0;

  /// The boxes onto which samples are windows, valid as long as the dataset; null (the default) if samples
  /// are not windows. A loader keeps the boxes on its device and assembles inputs there.
  virtual const BoxArray* boxes() const { return nullptr; }
  /// Called instead of read() if boxes() is not null: returns the window whose content is the input of sample
  /// `index`, and writes its target. Throws Error for a dataset without boxes.
  virtual BoxWindow window(std::int64_t /*index*/, const Rng* /*augmentation*/,
                           std::span<float> /*target*/) const {
    fail("this dataset has no boxes and therefore no windows");
  }
};

}  // namespace umbra
