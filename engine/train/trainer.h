// Trainer: the training loop. Checkpoints, progress lines and tables are written by observers of it.
#pragma once

#include <vector>

#include "engine/base/stage.h"
#include "engine/train/train_step.h"

namespace umbra {

/// Watches a Trainer. The defaults do nothing.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Called after every step.
  virtual void on_step(const Report&) {}
  /// Called after every validation pass, with its means.
  virtual void on_validation(const Report&) {}
  /// Called last after a step and its validation, when the network and the optimiser have the state after
  /// Report::step steps. It is called at the end of every epoch and when wants_state() returned true. After
  /// other steps it is called only if the device does not run ahead of the host.
  virtual void on_step_done(const Report&, bool /*epoch_end*/) {}
  /// Called when training has come to its end or was stopped, before Trainer::run() returns. Not after an error.
  virtual void on_end() {}
  /// Return true to have on_step_done() called after `step` steps.
  virtual bool wants_state(std::int64_t /*step*/) const { return false; }
  /// Return true to stop training after the current step.
  virtual bool wants_stop() const { return false; }
};

/// Trains a network on a Loader.
class Trainer {
 public:
  /// `context`, `network` and `optimizer` must outlive the trainer.
  Trainer(Context& context, Module& network, Optimizer& optimizer, Objective objective,
          TrainerOptions options);

  /// Trains from `step` to the end of the last epoch, or until an observer wants to stop. Validates after
  /// every epoch unless `validation` is null. Returns the number of steps done since the start of training.
  /// Throws Error when TrainerOptions::nan_guard is set and a loss or metric is not finite.
  std::int64_t run(const Loader& training, const Loader* validation, std::int64_t step,
                   const std::vector<Observer*>& observers);

 private:
  Context& context_;
  Module& network_;
  Optimizer& optimizer_;
  Objective objective_;
  TrainerOptions options_;
};

/// Mean loss and metric of one pass over `data`, with running statistics and without dropout. Several processes divide
/// the batches among them, and all return the bits that one would.
Report validate(Context& context, const Objective& objective, const Loader& data,
                const DataParallel* parallel = nullptr);

/// Predictions for the samples of `data` in order, row-major [count, outputs]. Every batch is added to `stage`,
/// if there is one.
std::vector<double> predict_all(Context& context, const Objective& objective, const Loader& data,
                                Stage* stage = nullptr);

}  // namespace umbra
