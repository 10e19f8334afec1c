// Dataset: what a source of samples offers to the training loop.
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
  std::span<const float> numbers;
  std::int64_t count, features, voxels;
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;   // number of samples
  virtual Shape input_shape() const = 0;   // of one sample, e.g. [1, 25, 25, 25]
  virtual Shape target_shape() const = 0;  // of one sample, e.g. [14]
  /// As what targets reach the device: kF32, or kI32 for labels (below 2^24, so that floats hold them).
  virtual DType target_dtype() const { return DType::kF32; }
  /// Writes sample `index`. With `augmentation` the sample is transformed as drawn from that stream alone;
  /// without, it is the plain sample. Must be callable from several threads at once. Not asked of a data set
  /// with boxes().
  virtual void read(std::int64_t index, const Rng* augmentation, std::span<float> input,
                    std::span<float> target) const = 0;

  /// The boxes behind the samples, valid as long as the data set: a loader keeps them on its device and has
  /// inputs put together there. None by default.
  virtual const BoxArray* boxes() const { return nullptr; }
  /// Instead of read(), where there are boxes(): the window whose content is the input of sample `index`, and
  /// its target.
  virtual BoxWindow window(std::int64_t /*index*/, const Rng* /*augmentation*/,
                           std::span<float> /*target*/) const {
    fail("this data set has no boxes to look at through windows");
  }
};

}  // namespace umbra
