// Checkpointer: writes RUN/last.h5, from which training resumes with bit-identical results, and RUN/best.h5,
// the network with the lowest validation metric so far (without the state of the optimiser).
#pragma once

#include <filesystem>
#include <functional>

#include "engine/io/checkpoint.h"
#include "engine/train/trainer.h"

namespace umbra {

/// Writes checkpoints while a Trainer runs.
class Checkpointer final : public Observer {
 public:
  /// Writes into the folder `run`. `info` contains the configuration, the transform and, when resuming, the
  /// best metric so far. last.h5 is written at the end of every epoch and, when `every` > 0, every `every`
  /// steps. When `stop` returns true, a checkpoint is written after the current step and training ends.
  /// `network` and `optimizer` must outlive the checkpointer. Of several processes, which call it alike, the first one
  /// writes, after all have compared their weights.
  Checkpointer(std::filesystem::path run, const Module& network, const Optimizer& optimizer,
               CheckpointInfo info, std::int64_t every, std::function<bool()> stop,
               const DataParallel* parallel = nullptr);
  /// Throws Error unless all processes have the same weights and the same state of the optimiser.
  void compare() const { compare(optimizer_.state()); }
  /// Writes best.h5 when the metric is lower than all before. Throws Error when it cannot be written, or when the
  /// weights of processes differ.
  void on_validation(const Report& report) override;
  /// Writes last.h5 at the steps that the constructor describes. Throws Error when it cannot be written.
  void on_step_done(const Report& report, bool epoch_end) override;
  /// True for every `every`-th step.
  bool wants_state(std::int64_t step) const override { return every_ > 0 && step % every_ == 0; }
  /// The result of `stop`.
  bool wants_stop() const override { return stop_(); }
  /// What the last checkpoint contains besides tensors.
  const CheckpointInfo& info() const { return info_; }

 private:
  void compare(const std::vector<NamedTensor>& optimizer) const;
  void write(const char* name, const std::vector<NamedTensor>& optimizer) const;

  std::filesystem::path run_;
  const Module& network_;
  const Optimizer& optimizer_;
  CheckpointInfo info_;
  std::int64_t every_;
  std::function<bool()> stop_;
  const DataParallel* parallel_;
};

}  // namespace umbra
