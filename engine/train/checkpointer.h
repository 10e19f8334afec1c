// Checkpointer: writes RUN/last.h5, from which training resumes with bit-identical results, and RUN/best.h5,
// the network with the lowest validation metric so far (without the state of the optimiser).
//
// The state is copied on its device, in the order of the training's stream, and another thread writes the copy. Training does
// not wait for it: meanwhile no other last.h5 is written, since the next one covers it, and the state of a better network
// waits in a second copy. Files are written in the order of their steps, a better network first, which replaces best.h5 when
// last.h5 knows of it. Whenever training is killed, the next Checkpointer makes best.h5 the best network up to last.h5, and so
// training resumes from there as if there had been no interruption.
#pragma once

#include <filesystem>
#include <functional>
#include <future>

#include "engine/io/checkpoint.h"
#include "engine/train/trainer.h"

namespace umbra {

/// The better network of the folder `run` until last.h5 knows of it: RUN/best.h5.next.
std::filesystem::path next_best(const std::filesystem::path& run);
/// Whether there is a best network: best.h5, or one that a Checkpointer makes best.h5. `last` is what last.h5 contains.
bool has_best(const std::filesystem::path& run, const CheckpointInfo& last);

/// Writes checkpoints while a Trainer runs.
class Checkpointer final : public Observer {
 public:
  /// Writes into the folder `run`. `info` contains the configuration, the transform and, when resuming, the
  /// best metric so far. last.h5 is written at the end of every epoch and, when `every` > 0, every `every`
  /// steps, unless a file is being written then. When `stop` returns true, training ends after the current step.
  /// `network` and `optimizer` change in the order of `stream`, and all three must outlive the checkpointer. Of several
  /// processes, which call it alike, the first one writes, after all have compared their weights. It allocates the two
  /// copies of the state. After a kill, a better network that last.h5 knows of replaces best.h5, and one that it does not know
  /// of is removed. Throws Error when that fails.
  Checkpointer(std::filesystem::path run, const Stream& stream, const Module& network,
               const Optimizer& optimizer, CheckpointInfo info, std::int64_t every,
               std::function<bool()> stop, const DataParallel* parallel = nullptr);
  /// Writes what waits, after an error of training, too, unless the write before it fails or another process ends the job
  /// meanwhile. Errors are dropped: on_end() reports them.
  ~Checkpointer() override;
  /// Throws Error unless all processes have the same weights and the same state of the optimiser.
  void compare() const { compare(network_.state(), optimizer_.state()); }
  /// Throws Error if a checkpoint could not be written since the last call of this or the following functions.
  void on_step(const Report& report) override;
  /// When the metric is lower than all before, the next on_step_done() also writes best.h5.
  void on_validation(const Report& report) override;
  /// Starts to write at the steps that the constructor describes. While a file is being written, it only copies the state if
  /// the network is better, in place of an older one that waits. Throws Error when a checkpoint could not be written, or when the
  /// state of processes differs.
  void on_step_done(const Report& report, bool epoch_end) override;
  /// Waits for the files, and writes last.h5 unless the last step was already copied for it. Throws Error when one could not be
  /// written; a file that an earlier call has reported is not tried again.
  void on_end() override;
  /// True for every `every`-th step.
  bool wants_state(std::int64_t step) const override { return every_ > 0 && step % every_ == 0; }
  /// The result of `stop`.
  bool wants_stop() const override { return stop_(); }
  /// What the last checkpoint, written or left out, contains besides tensors.
  const CheckpointInfo& info() const { return info_; }

 private:
  struct Snapshot {
    std::vector<NamedTensor> model, moments;
    Event copied;
    CheckpointInfo info = {};
    bool better = false;  // written to best.h5, too
  };
  void compare(std::vector<NamedTensor> model, const std::vector<NamedTensor>& optimizer) const;
  void reach(std::int64_t step);
  void take(Snapshot& snapshot, bool better);
  void start(const Snapshot& snapshot);
  void write(const Snapshot& snapshot) const;
  bool is_writing();
  void finish();

  std::filesystem::path run_;
  const Stream& stream_;
  const Module& network_;
  const Optimizer& optimizer_;
  CheckpointInfo info_;
  std::int64_t every_;
  std::function<bool()> stop_;
  const DataParallel* parallel_;
  const bool writes_;                  // whether this process does
  bool better_ = false;                // the metric, since the last checkpoint
  std::int64_t reached_, last_;        // steps: of on_step_done(), and of the newest copy
  Snapshot one_, other_;               // the other one is used while one is being written
  Snapshot* waiting_ = nullptr;        // the newest better one that was taken while another was being written
  const Snapshot* written_ = nullptr;  // what `writing_` reads
  std::future<void> writing_;
};

}  // namespace umbra
