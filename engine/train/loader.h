// Loader: batches of a Dataset. The order of an epoch is a function of (seed, epoch), and the augmentation
// of a sample is a function of (seed, epoch, sample). The step alone is the position in training: resuming
// needs nothing else.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "engine/io/dataset.h"
#include "engine/tensor/context.h"

namespace umbra {

/// Samples on a device.
struct Batch {
  Tensor input;   ///< [N, …], f32
  Tensor target;  ///< [N, …], of the type Dataset::target_dtype()
  /// Indices of the samples in the dataset; empty for a batch of StagedBatches.
  std::vector<std::int64_t> samples;
};

/// The part of every batch that one of several processes loads.
struct BatchPart {
  std::int64_t index = 0;  ///< of the part, from 0 to count - 1
  std::int64_t count = 1;  ///< number of parts, which are as equal as possible
};

/// How a Loader forms batches.
struct LoaderOptions {
  std::int64_t batch = 32;  ///< samples per batch, at least 1
  std::uint64_t seed = 1;   ///< of the order and the augmentation
  bool shuffle = true;      ///< false: every epoch has the order of the dataset
  bool drop_last = true;    ///< omit the last batch of an epoch when it is smaller
  bool augment = false;     ///< read samples with Dataset's augmentation
  BatchPart part = {};      ///< what is loaded of every batch
};

/// The batches of a dataset, numbered by training step.
class Loader {
 public:
  /// `data` must outlive the loader. Throws Error when an epoch would have no batch, or a batch an empty part.
  Loader(const Dataset& data, const LoaderOptions& options);

  /// Number of batches of an epoch.
  std::int64_t batches_per_epoch() const;
  /// The part of batch step % batches_per_epoch() of epoch step / batches_per_epoch(), on the device of `context`.
  Batch load(Context& context, std::int64_t step) const;
  /// Number of samples of that batch, of which the part may be less.
  std::int64_t whole_size(std::int64_t step) const;
  /// Place in that batch of the first sample of the part.
  std::int64_t first_of_part(std::int64_t step) const { return part_begin(step, options_.part.index); }
  /// Number of samples of the part.
  std::int64_t batch_size(std::int64_t step) const {
    return part_begin(step, options_.part.index + 1) - first_of_part(step);
  }
  /// The dataset of the constructor.
  const Dataset& data() const { return data_; }

 private:
  friend class StagedBatches;
  const std::vector<std::int64_t>& order(std::int64_t epoch) const;
  std::int64_t part_begin(std::int64_t step, std::int64_t part) const {
    return whole_size(step) * part / options_.part.count;
  }
  std::vector<std::int64_t> samples_of(std::int64_t step) const;
  // Calls body(place in the batch, sample, random stream for augmentation or null) on all threads. If calls
  // throw, rethrows the exception of the first of these samples.
  template <class Body>
  void for_each_sample(std::int64_t step, const std::vector<std::int64_t>& samples, const Body& body) const;

  const Dataset& data_;
  LoaderOptions options_;
  mutable std::int64_t order_epoch_ = -1;  // the epoch of order_
  mutable std::vector<std::int64_t> order_;
  mutable Tensor boxes_;  // those of data_, if it has any, on the device of the last context
};

/// The batches of a loader, one after another at a fixed address in device memory, so that a captured graph
/// can read them; the number of the step and the scalars of its optimiser are in the same copy. On a CPU the
/// samples of a batch have only the rows that the longest of them needs (Dataset::rows()); on a device that
/// replays graphs all batches have the same shape. stage() selects the samples on the host; gather() assembles
/// them on the device.
class StagedBatches {
 public:
  /// For batches of loader.batch_size(first_step) samples with so many scalars. `loader` must outlive this object.
  StagedBatches(Context& context, const Loader& loader, std::int64_t first_step, std::int64_t scalars = 0);
  /// Number of samples of every batch.
  std::int64_t batch_size() const { return device_.target.shape()[0]; }
  /// Reads the samples of batch `step` and queues their copy to the device, with as many `scalars` as the constructor
  /// was given. Two batches may be in progress; a third call waits for the first.
  void stage(Context& context, std::int64_t step, std::span<const double> scalars = {});
  /// The batch that was staged last, assembled on the device. May be captured in a graph.
  Batch gather(Context& context) const;
  /// The targets of batch `step` on the host. `step` is one of the two that were staged last; the tensor is
  /// valid until the second call of stage() from now.
  const Tensor& host_target(std::int64_t step) const;
  /// The number of the step that was staged last, i64 [1] on the device …
  const Tensor& number() const { return device_.number; }
  /// … and its scalars, f64; undefined if there are none.
  const Tensor& scalars() const { return device_.scalars; }

 private:
  // All that a step reads, in one piece of memory.
  struct Memory {
    Tensor all;              // i64: what the others are views of, in their order
    Tensor number, scalars;  // i64 [1]; f64
    Tensor target, input;    // input: windows, or the samples themselves
  };
  struct Slot {
    explicit Slot(Device device) : copied(device) {}
    Memory memory;        // pinned
    Tensor batch_target;  // the part of memory.target that the batch needs
    Event copied;
  };
  Memory make_memory(Device device, bool staging, std::int64_t batch, std::int64_t scalars) const;
  std::int64_t rows_left_out(Device device, const std::vector<std::int64_t>& samples) const;

  const Loader& loader_;
  std::array<std::unique_ptr<Slot>, 2> slots_;
  Memory device_;
  Tensor batch_input_, batch_target_;  // the parts of the device's memory that the batch needs
};

/// A permutation of 0 … count - 1 drawn from (seed, epoch).
std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed, std::int64_t epoch);

}  // namespace umbra
