// Loader: batches of a Dataset. The order of an epoch is a function of (seed, epoch) and the augmentation of
// a sample one of (seed, epoch, sample): the position in training is the step alone, and resuming needs
// nothing else.
#pragma once

#include <vector>

#include "engine/io/dataset.h"
#include "engine/tensor/context.h"

namespace umbra {

struct Batch {
  Tensor input;                       // [N, …]
  Tensor target;                      // [N, …]
  std::vector<std::int64_t> samples;  // indices into the dataset
};

struct LoaderOptions {
  std::int64_t batch = 32;
  std::uint64_t seed = 1;
  bool shuffle = true;
  bool drop_last = true;  // leave out the last, smaller batch of an epoch
  bool augment = false;
};

class Loader {
 public:
  /// `data` must outlive the loader. Throws Error when an epoch would hold no batch.
  Loader(const Dataset& data, const LoaderOptions& options);

  std::int64_t batches_per_epoch() const;
  /// Batch `step % batches_per_epoch()` of epoch `step / batches_per_epoch()`, in f32 on the context's
  /// device.
  Batch load(Context& context, std::int64_t step) const;
  const Dataset& data() const { return data_; }

 private:
  const std::vector<std::int64_t>& order(std::int64_t epoch) const;

  const Dataset& data_;
  LoaderOptions options_;
  mutable std::int64_t order_epoch_ = -1;  // the epoch whose order is kept
  mutable std::vector<std::int64_t> order_;
};

/// 0 … count-1 in an order drawn from (seed, epoch).
std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed, std::int64_t epoch);

}  // namespace umbra
