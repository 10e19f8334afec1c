// TrainStep: one optimiser step in two halves, so that a device need not wait for the host. launch() queues
// the work; finish() waits for it and returns its Report. Everything that differs between steps (the
// samples, the learning rate, the number of the step) is stored at fixed addresses in device memory, so
// that a step can be captured once per batch size as a graph and replayed. A replayed step and a queued step give
// bit-identical results.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "engine/optim/optimizer.h"
#include "engine/runtime/graph.h"
#include "engine/train/data_parallel.h"
#include "engine/train/loader.h"

namespace umbra {

/// What is learnt: the prediction, the loss that is minimised, and the metric that is reported.
struct Objective {
  /// From the input [N, …] of a batch to its prediction [N, …].
  std::function<Var(Pass&, const Var& input)> predict;
  /// From a prediction to a loss with one element.
  std::function<Var(Pass&, const Var& prediction, const Tensor& target)> loss;
  /// From a prediction to what is reported of it, where that is less: the metric and predict_all() see only this
  /// [N, …]. Null: all of it.
  std::function<Var(Pass&, const Var& prediction)> report = nullptr;
  /// Sum of the metric over the samples of a batch. Reports contain its mean per sample.
  std::function<double(std::span<const double> prediction, std::span<const double> target)> metric;
  /// For a loss that is a mean over the samples with weights: the sum of the weights of these samples. Null: the loss is
  /// the mean, and all weights are 1.
  std::function<double(std::span<const double> target)> weight = nullptr;
  /// What is reported of a prediction; nothing is recorded.
  Tensor reported(Context& context, const Var& prediction) const;
};

/// One optimiser step, or the mean over a validation pass.
struct Report {
  std::int64_t epoch = 0;    ///< counted from 0
  std::int64_t step = 0;     ///< optimiser steps taken so far
  double loss = 0;           ///< of the batch, or its mean over the samples of a validation pass
  double metric = 0;         ///< mean of Objective::metric per sample
  double learning_rate = 0;  ///< of this step
  double gradient_norm = 0;  ///< L2 norm before clipping; 0 for validation
  double seconds = 0;        ///< duration of this step or pass
  std::int64_t samples = 0;  ///< number of samples of this step or pass
};

/// Settings of a training run.
struct TrainerOptions {
  std::int64_t epochs = 15;  ///< passes over the training data
  std::uint64_t seed = 1;    ///< of the dropout masks
  double clip = 0;           ///< largest L2 norm of all gradients together; 0: no clipping
  /// Stop with an Error at the first loss or gradient that is not finite; the message names the op it came
  /// from.
  bool nan_guard = true;
  /// Learning rate of a step (counted from 0).
  std::function<double(std::int64_t step)> learning_rate;
  /// Replay a captured step where the device supports it, unless Context::observer or `parallel` is set.
  bool graph = true;
  /// The processes that train together; null: this one alone. Must outlive the training. The loader then loads this
  /// process's part of every batch.
  DataParallel* parallel = nullptr;
};

/// Runs optimiser steps, up to two at a time.
class TrainStep {
 public:
  /// All arguments must outlive this object.
  TrainStep(Context& context, Module& network, Optimizer& optimizer, const Objective& objective,
            const TrainerOptions& options, const Loader& training);

  /// Whether launch() returns before its step is done. Then two steps may be in progress.
  bool pipelined() const;
  /// Reads the batch of `step` and queues forward, backward and the update of the parameters.
  void launch(std::int64_t step);
  /// Waits for `step`, one of the two launched last. Throws Error when TrainerOptions::nan_guard is set and
  /// the loss or the gradient norm is not finite. Of several processes all return the same numbers.
  Report finish(std::int64_t step);

 private:
  // The results of a step on the device.
  struct Outputs {
    Tensor loss, prediction, norm;
  };
  // The results of a step on the host.
  struct Slot {
    explicit Slot(Device device) : done(device) {}
    Event done;
    Tensor loss, prediction, norm;  // pinned: copies of the Outputs
    Tensor target;                  // on the host
    double share = 1;               // of this process's part in the loss of the batch
    std::optional<DataParallel::Totals> totals;
    bool replayed = false;
    std::chrono::steady_clock::time_point launched;
    double learning_rate = 0;
  };
  // What the steps of one batch size need.
  struct Sized {
    std::unique_ptr<StagedBatches> batches;
    std::array<std::unique_ptr<Slot>, 2> slots;  // of even and of odd steps
    std::unique_ptr<Graph> graph;
    Outputs outputs;    // of the graph
    bool warm = false;  // a step has been queued: the arena has all the memory it needs
  };
  Slot& slot(std::int64_t step) {
    return *sizes_.at(training_.batch_size(step)).slots[static_cast<std::size_t>(step % 2)];
  }
  void stage(std::int64_t step);
  Outputs compute(std::int64_t step);  // forward, backward and clipping
  const Tensor& one(const Tensor& loss);
  void differentiate_together(Tape& tape, const Var& loss, double share);
  const DataParallel::Totals& totals(Slot& slot);
  void run(std::int64_t step);
  Slot& await(std::int64_t step);
  void replay(std::int64_t step);
  void fetch(const Outputs& outputs, Slot& slot);
  void guard(std::int64_t step, Slot& slot);
  [[noreturn]] void explain_nonfinite(std::int64_t step, Slot& slot);

  Context& context_;
  Module& network_;
  Optimizer& optimizer_;
  const Objective& objective_;
  const TrainerOptions& options_;
  const Loader& training_;
  Tensor one_;                             // as a loss
  std::map<std::int64_t, Sized> sizes_;    // by the number of samples
  Sized* sized_ = nullptr;                 // of the step that was launched last
  std::optional<std::int64_t> under_way_;  // a replayed step whose results have not been examined
  std::chrono::steady_clock::time_point finished_;
};

}  // namespace umbra
