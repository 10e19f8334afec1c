// EarlyStopping: ends training when the validation metric has not become better for some time.
#pragma once

#include "engine/train/checkpointer.h"

namespace umbra {

/// Whether the last `steps` steps before a checkpoint brought no better validation metric; false if `steps` is 0.
inline bool is_out_of_patience(const CheckpointInfo& info, std::int64_t steps) {
  return steps > 0 && info.has_best && info.step - info.best_step >= steps;
}

/// Stops a Trainer. Whether it does follows from its checkpoints alone, so a resumed run stops at the same step.
class EarlyStopping final : public Observer {
 public:
  /// Stops `steps` steps after the best metric, a whole number of epochs; 0: never. `checkpoints` must be an observer
  /// of the same Trainer.
  EarlyStopping(const Checkpointer& checkpoints, std::int64_t steps)
      : checkpoints_(checkpoints), steps_(steps) {}
  /// Whether the metric has not become better in the last `steps` steps.
  bool wants_stop() const override { return is_out_of_patience(checkpoints_.info(), steps_); }

 private:
  const Checkpointer& checkpoints_;
  std::int64_t steps_;
};

}  // namespace umbra
