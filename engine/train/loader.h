// Loader: batches of a Dataset. The order of an epoch is a function of (seed, epoch) and the augmentation of
// a sample one of (seed, epoch, sample): the position in training is the step alone, and resuming needs
// nothing else.
#pragma once

#include <array>
#include <memory>
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
  /// Batch `step % batches_per_epoch()` of epoch `step / batches_per_epoch()` on the context's device, in f32
  /// but for targets that are labels.
  Batch load(Context& context, std::int64_t step) const;
  /// Samples of that batch.
  std::int64_t batch_size(std::int64_t step) const;
  const Dataset& data() const { return data_; }

 private:
  friend class StagedBatches;
  const std::vector<std::int64_t>& order(std::int64_t epoch) const;
  std::vector<std::int64_t> samples_of(std::int64_t step) const;
  /// Calls body(place in the batch, sample, stream to augment from or null) on all threads. Where it throws,
  /// what the first of these samples threw.
  template <class Body>
  void for_each_sample(std::int64_t step, const std::vector<std::int64_t>& samples, const Body& body) const;

  const Dataset& data_;
  LoaderOptions options_;
  mutable std::int64_t order_epoch_ = -1;  // the epoch whose order is kept
  mutable std::vector<std::int64_t> order_;
  mutable Tensor boxes_;  // of data_, where it has some, on the device of the last context
};

/// The batches of a loader at fixed places in a device's memory, one after the other, so that a captured
/// graph can read them: stage() says on the host which samples come next, gather() puts them together on the
/// device.
class StagedBatches {
 public:
  /// For batches of loader.batch_size(first_step) samples.
  StagedBatches(Context& context, const Loader& loader, std::int64_t first_step);
  std::int64_t batch_size() const { return target_.shape()[0]; }
  /// Queues what batch `step` is made of. Two may be under way at a time; a third waits for the first.
  void stage(Context& context, std::int64_t step);
  /// The staged batch. May be captured.
  Batch gather(Context& context) const;
  /// The target of the batch of `step` on the host, which was staged last or last but one; it stays what it
  /// is until the batch after the next is staged.
  const Tensor& host_target(std::int64_t step) const;

 private:
  struct Slot {
    explicit Slot(Device device) : copied(device) {}
    Tensor input, target;  // pinned; input: windows, or the samples themselves
    Event copied;
  };
  const Loader& loader_;
  std::array<std::unique_ptr<Slot>, 2> slots_;
  Tensor input_, target_;  // on the device
};

/// 0 … count-1 in an order drawn from (seed, epoch).
std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed, std::int64_t epoch);

}  // namespace umbra
