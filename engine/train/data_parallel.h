// DataParallel: several processes train one network, on CPUs or each on a GPU of its own. Each computes its part of every
// batch; the sums of their gradients travel in buckets while backward() still computes others. All processes then take the
// same step.
//
// The loss of a batch is the mean of its parts' losses with the weights of the parts, which is the loss that one process
// computes, up to rounding. With a fixed number of processes every run gives the same bits.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/dist/communicator.h"
#include "engine/nn/module.h"

namespace umbra {

/// How processes train together.
struct DataParallelOptions {
  bool synchronised_batch_norm = false;  ///< statistics of the whole batch; false: of each part, averaged
  /// The signal by which this process was asked to stop, or 0. Null: it never is.
  std::function<int()> stop_signal = nullptr;
  std::int64_t bucket_bytes = 1 << 18;  ///< a bucket is sent as soon as it has at least this size
};

/// The processes of a training run with more than one.
class DataParallel {
 public:
  /// `world` must outlive this object; the network is on the device of `context`. All processes construct one. Throws
  /// Error unless all parameters are f32, and as Communicator::join_devices().
  DataParallel(Communicator& world, const Context& context, const Module& network,
               DataParallelOptions options);

  /// The processes.
  Communicator& world() const { return world_; }
  /// Those that share the statistics of a batch, or null.
  Communicator* statistics() const { return options_.synchronised_batch_norm ? &world_ : nullptr; }
  /// `weight` divided by the sum of the weights of all processes.
  double share(double weight) const;

  /// Between the forward and the backward pass of a step: starts to average the running statistics of batch norms.
  /// `share` [1] is that of this process's part of the batch, on the device.
  void start(Context& context, const Tensor& share);
  /// To be called with every variable whose gradient is final (BackwardOptions::on_final).
  void send(Context& context, const Var& variable);
  /// Waits until the gradients of all parameters are the sums over all processes. Throws JobFailed.
  void finish(Context& context);

  /// Numbers of a step that the processes add.
  struct Totals {
    double loss;    ///< of the whole batch
    double metric;  ///< sum over the samples of the whole batch
  };
  /// The sums over all processes, in the order of the ranks. Also agrees on stop_signal().
  Totals add(double loss, double metric);
  /// The signal by which any of the processes was asked to stop, as of the last call of add(); or 0.
  int stop_signal() const { return stop_signal_; }

  /// The buckets of the last step: when each travelled, and when the gradients were computed. With what this process has
  /// sent and received since its start.
  std::string trace() const;
  /// The last step: when its backward pass began and ended, and its sums.
  struct Step {
    Transfer::Time begin{};           ///< of the backward pass
    Transfer::Time end{};             ///< of the backward pass; later sums are waited for
    std::vector<Transfer> transfers;  ///< averages of running statistics, if there are any, then buckets
  };
  /// The last step that finish() has ended.
  const Step& last_step() const { return step_; }

  /// Throws SharedError, which names the processes, unless all have the same bits in these tensors.
  void compare(std::int64_t step, const std::vector<NamedTensor>& state) const;

 private:
  void send_bucket(Context& context);  // the gradients that wait
  void start_sum(Context& context, const Tensor& numbers);

  Communicator& world_;
  DataParallelOptions options_;
  std::vector<NamedTensor> statistics_;  // running statistics to average
  Tensor averages_;                      // of the step, one after another
  std::vector<Var> bucket_;              // variables whose gradients wait to be sent
  std::int64_t bytes_ = 0;               // of these
  std::vector<std::future<void>> sums_;  // under way
  int stop_signal_ = 0;
  Step step_;
};

}  // namespace umbra
