// Trainer: the loop and nothing else. Files, bars and tables are observers that watch it.
#pragma once

#include <functional>
#include <vector>

#include "engine/optim/optimizer.h"
#include "engine/train/loader.h"

namespace umbra {

/// What is learnt: from an input to a prediction, from a prediction to a loss, and the number people quote.
struct Task {
  std::function<Var(Pass&, const Var& input)> predict;
  std::function<Var(Pass&, const Var& prediction, const Tensor& target)> loss;
  /// Sum over the samples of a batch of the quoted metric; divided by the number of samples for a mean.
  std::function<double(std::span<const double> prediction, std::span<const double> target)> metric;
};

/// One optimiser step, or the mean over a validation pass.
struct Report {
  std::int64_t epoch = 0;  // from 0
  std::int64_t step = 0;   // optimiser steps taken so far
  double loss = 0;
  double metric = 0;
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping; 0 for validation
  double seconds = 0;        // of this step or pass
  std::int64_t samples = 0;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const Report&) {}
  virtual void on_validation(const Report&) {}
  /// Called last after a step and after the validation that may follow it: everything up to report.step is
  /// done.
  virtual void on_step_done(const Report&, bool /*epoch_end*/) {}
  /// True asks the trainer to stop once this step is done.
  virtual bool wants_stop() const { return false; }
};

struct TrainerOptions {
  std::int64_t epochs = 15;
  std::uint64_t seed = 1;
  double clip = 0;  // largest gradient norm; 0: no clipping
  bool nan_guard =
      true;  // stop at the first loss or gradient that is not finite, and name where it came from
  std::function<double(std::int64_t step)> learning_rate;
};

class Trainer {
 public:
  Trainer(Context& context, Module& network, Optimizer& optimizer, Task task, TrainerOptions options);

  /// Trains from `step` to the end of the last epoch; validates after every epoch when `validation` is given.
  /// Returns the number of steps done in all.
  std::int64_t run(const Loader& training, const Loader* validation, std::int64_t step,
                   const std::vector<Observer*>& observers);

 private:
  Report train_step(const Loader& training, std::int64_t step);
  [[noreturn]] void explain_nonfinite(const Loader& training, std::int64_t step, const Report& report);

  Context& context_;
  Module& network_;
  Optimizer& optimizer_;
  Task task_;
  TrainerOptions options_;
  bool explaining_ = false;  // the step is being repeated to find where a NaN came from
};

/// Mean loss and metric of one pass over every sample, with running statistics and without dropout.
Report validate(Context& context, const Task& task, const Loader& data);

/// Predictions for every sample in order, [count, outputs] row by row.
std::vector<double> predict_all(Context& context, const Task& task, const Loader& data);

}  // namespace umbra
