// Checkpointer: RUN/last.h5, from which training continues bit for bit, and RUN/best.h5, the network with the
// lowest validation metric so far (without the optimiser's state).
#pragma once

#include <filesystem>
#include <functional>

#include "engine/io/checkpoint.h"
#include "engine/train/trainer.h"

namespace umbra {

class Checkpointer final : public Observer {
 public:
  /// `info` carries config, transform and, on resuming, the best metric so far. `every` is in steps; 0: every
  /// epoch. When `stop` returns true a checkpoint is written after the step at hand and training ends.
  Checkpointer(std::filesystem::path run, const Module& network, const Optimizer& optimizer,
               CheckpointInfo info, std::int64_t every, std::function<bool()> stop);
  void on_validation(const Report& report) override;
  void on_step_done(const Report& report, bool epoch_end) override;
  bool wants_state(std::int64_t step) const override { return every_ > 0 && step % every_ == 0; }
  bool wants_stop() const override { return stop_(); }
  const CheckpointInfo& info() const { return info_; }

 private:
  std::filesystem::path run_;
  const Module& network_;
  const Optimizer& optimizer_;
  CheckpointInfo info_;
  std::int64_t every_;
  std::function<bool()> stop_;
};

}  // namespace umbra
