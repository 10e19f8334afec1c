// TrainStep: one optimiser step in two halves, so that a device need not wait for the host. launch() queues
// everything; finish() waits for it and says how it went. Whatever differs from step to step (which samples,
// the learning rate, the step's number) lies at fixed places in the device's memory, so that the work of a
// step can be captured once into a graph and replayed. A replayed step gives the bits of a queued one.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>

#include "engine/optim/optimizer.h"
#include "engine/runtime/graph.h"
#include "engine/train/loader.h"

namespace umbra {

/// What is learnt: from an input to a prediction, from a prediction to a loss, and the number people quote.
struct Objective {
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

struct TrainerOptions {
  std::int64_t epochs = 15;
  std::uint64_t seed = 1;
  double clip = 0;  // largest gradient norm; 0: no clipping
  bool nan_guard =
      true;  // stop at the first loss or gradient that is not finite, and name where it came from
  std::function<double(std::int64_t step)> learning_rate;
  bool graph = true;  // replay a captured step where the device can; not while an observer watches every op
};

class TrainStep {
 public:
  TrainStep(Context& context, Module& network, Optimizer& optimizer, const Objective& objective,
            const TrainerOptions& options, const Loader& training);

  /// Whether launch() returns before its step is done: then two steps may be under way.
  bool pipelined() const;
  void launch(std::int64_t step);
  /// Of the step launched last or last but one. Throws Error when nan_guard finds it not finite.
  Report finish(std::int64_t step);

 private:
  // What a step leaves on the device.
  struct Outputs {
    Tensor loss, prediction, norm;
  };
  // What the host gives and gets; one for even and one for odd steps.
  struct Slot {
    explicit Slot(Device device) : given(device), done(device) {}
    Event given, done;
    Tensor number, scalars;         // pinned: the step and what the optimiser needs to know of it
    Tensor loss, prediction, norm;  // pinned: copies of the Outputs
    Tensor target;                  // on the host
    bool replayed = false;
    std::chrono::steady_clock::time_point launched;
    double learning_rate = 0;
  };
  Slot& slot(std::int64_t step) { return *slots_[static_cast<std::size_t>(step % 2)]; }
  void stage(std::int64_t step);
  Outputs compute();  // forward, backward and clipping
  void run(std::int64_t step);
  void replay(std::int64_t step);
  void fetch(const Outputs& outputs, Slot& slot);
  void guard(std::int64_t step, const Slot& slot);
  [[noreturn]] void explain_nonfinite(std::int64_t step, const Slot& slot);

  Context& context_;
  Module& network_;
  Optimizer& optimizer_;
  const Objective& objective_;
  const TrainerOptions& options_;
  const Loader& training_;
  std::unique_ptr<StagedBatches> batches_;
  std::array<std::unique_ptr<Slot>, 2> slots_;
  Tensor number_, scalars_;  // on the device: I64 [1] and F64
  Outputs outputs_;
  std::unique_ptr<Graph> graph_;
  bool warm_ = false;  // a step of this size has been queued, so that the arena holds all it needs
  std::chrono::steady_clock::time_point finished_;
};

}  // namespace umbra
