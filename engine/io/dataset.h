// Dataset: what a source of samples offers to the training loop.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/philox.h"
#include "engine/base/shape.h"

namespace umbra {

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;    // number of samples
  virtual Shape input_shape() const = 0;    // of one sample, e.g. [1, 25, 25, 25]
  virtual Shape target_shape() const = 0;   // of one sample, e.g. [14]
  /// Writes sample `index`. With `augmentation` the sample is transformed as drawn from that stream alone; without,
  /// it is the plain sample. Must be callable from several threads at once.
  virtual void read(std::int64_t index, const Rng* augmentation, std::span<float> input,
                    std::span<float> target) const = 0;
};

}  // namespace umbra
