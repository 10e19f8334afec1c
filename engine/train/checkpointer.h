// Checkpointer: writes RUN/last.h5, from which training resumes with bit-identical results, and RUN/best.h5,
// the network with the lowest validation metric so far (without the state of the optimiser).
//
// The state is copied on its device, in the order of the training's stream, and another thread writes the copy while
// training continues. There is one copy: the next checkpoint waits until this one is written.
#pragma once

#include <filesystem>
#include <functional>
#include <future>

#include "engine/io/checkpoint.h"
#include "engine/train/trainer.h"

namespace umbra {

/// Writes checkpoints while a Trainer runs.
class Checkpointer final : public Observer {
 public:
  /// Writes into the folder `run`. `info` contains the configuration, the transform and, when resuming, the
  /// best metric so far. last.h5 is written at the end of every epoch and, when `every` > 0, every `every`
  /// steps. When `stop` returns true, a checkpoint is written after the current step and training ends.
  /// `network` and `optimizer` change in the order of `stream`, and all three must outlive the checkpointer. Of several
  /// processes, which call it alike, the first one writes, after all have compared their weights.
  Checkpointer(std::filesystem::path run, const Stream& stream, const Module& network,
               const Optimizer& optimizer, CheckpointInfo info, std::int64_t every,
               std::function<bool()> stop, const DataParallel* parallel = nullptr);
  /// Throws Error unless all processes have the same weights and the same state of the optimiser.
  void compare() const { compare(network_.state(), optimizer_.state()); }
  /// Throws Error if a checkpoint could not be written since the last call of this or the following functions.
  void on_step(const Report& report) override;
  /// When the metric is lower than all before, the next on_step_done() also writes best.h5.
  void on_validation(const Report& report) override;
  /// Starts to write last.h5 at the steps that the constructor describes, after the checkpoint before has been written.
  /// Throws Error when that could not be written, or when the state of processes differs.
  void on_step_done(const Report& report, bool epoch_end) override;
  /// Waits until the last checkpoint has been written. Throws Error when it could not be.
  void on_end() override;
  /// True for every `every`-th step.
  bool wants_state(std::int64_t step) const override { return every_ > 0 && step % every_ == 0; }
  /// The result of `stop`.
  bool wants_stop() const override { return stop_(); }
  /// What the last checkpoint contains besides tensors.
  const CheckpointInfo& info() const { return info_; }

 private:
  void compare(std::vector<NamedTensor> model, const std::vector<NamedTensor>& optimizer) const;
  void write(const CheckpointInfo& info, bool better) const;

  std::filesystem::path run_;
  const Stream& stream_;
  const Module& network_;
  const Optimizer& optimizer_;
  CheckpointInfo info_;
  std::int64_t every_;
  std::function<bool()> stop_;
  const DataParallel* parallel_;
  bool better_ = false;                                 // the metric, since the last checkpoint
  std::vector<NamedTensor> model_copy_, moments_copy_;  // empty until the first checkpoint
  Event copied_;
  std::future<void> writing_;  // waits in its destructor, before what it reads is destroyed
};

}  // namespace umbra
