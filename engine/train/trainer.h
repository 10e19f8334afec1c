// Trainer: the loop and nothing else. Files, bars and tables are observers that watch it.
#pragma once

#include <vector>

#include "engine/train/train_step.h"

namespace umbra {

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const Report&) {}
  virtual void on_validation(const Report&) {}
  /// Called last after a step and after the validation that may follow it, while the network and the
  /// optimiser stand exactly behind report.step: always at the end of an epoch and where wants_state() asked
  /// for it, on a device that runs ahead of the host not otherwise.
  virtual void on_step_done(const Report&, bool /*epoch_end*/) {}
  /// True asks for on_step_done() after `step` steps.
  virtual bool wants_state(std::int64_t /*step*/) const { return false; }
  /// True asks the trainer to stop once the step at hand is done.
  virtual bool wants_stop() const { return false; }
};

class Trainer {
 public:
  Trainer(Context& context, Module& network, Optimizer& optimizer, Objective objective,
          TrainerOptions options);

  /// Trains from `step` to the end of the last epoch; validates after every epoch when `validation` is given.
  /// Returns the number of steps done in all.
  std::int64_t run(const Loader& training, const Loader* validation, std::int64_t step,
                   const std::vector<Observer*>& observers);

 private:
  Context& context_;
  Module& network_;
  Optimizer& optimizer_;
  Objective objective_;
  TrainerOptions options_;
};

/// Mean loss and metric of one pass over every sample, with running statistics and without dropout.
Report validate(Context& context, const Objective& objective, const Loader& data);

/// Predictions for every sample in order, [count, outputs] row by row.
std::vector<double> predict_all(Context& context, const Objective& objective, const Loader& data);

}  // namespace umbra
