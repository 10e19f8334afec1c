// A training run. All input is checked before anything is written.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "engine/io/folder_lock.h"
#include "engine/train/data_parallel.h"
#include "tools/common/experiment.h"
#include "tools/train/training_set.h"

namespace umbra {

class TrainingRun {
 public:
  /// The run in the folder `out`, resumed if there is a checkpoint, without --overwrite. Checks all input; `arguments`, `set` and
  /// `world`, the processes that train together, must outlive this. Throws Error.
  TrainingRun(const TrainArguments& arguments, const TrainingSet& set, const RunConfig& config,
              const std::filesystem::path& out, Communicator& world);
  /// Creates the folder and admits no other job to it. Throws Error if a file of the run cannot be written.
  void open();
  /// Prints the remarks about the data, the samples, the network, the device and the baselines.
  void describe() const;
  /// Prints what a new run took from --weights, if it was given.
  void describe_weights() const;
  /// Whether the run has been trained to its end before.
  bool is_finished() const;
  /// Trains to the end and writes the files of the run (kRunFiles). To be called after open(). Throws Stopped after a
  /// signal.
  void train();
  /// The lowest validation metric so far.
  double best_metric() const { return info_.best_metric; }

 private:
  std::filesystem::path last() const { return out_ / "last.h5"; }
  std::string metric() const { return config_.task->metric(experiment_->fitted()); }
  /// train.patience in steps.
  std::int64_t patience() const { return config_.patience * training_->batches_per_epoch(); }
  bool steps_left() const;
  void make_parallel();
  void run_steps();
  void compare_files() const;
  void write_first_files(const std::string& config_before);
  void start();
  void load_weights();
  void restore();
  void make_loaders();
  void check_changes();
  TrainerOptions trainer_options(std::int64_t steps_per_epoch) const;
  void export_best();

  const TrainArguments& arguments_;
  const TrainingSet& set_;
  RunConfig config_;
  std::filesystem::path out_;
  Communicator& world_;
  bool resume_;
  int stopped_by_ = 0;  // a signal, which all processes have agreed on
  std::unique_ptr<FolderLock> lock_;
  CheckpointInfo info_;
  std::unique_ptr<Experiment> experiment_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Dataset> training_data_, validation_data_;
  std::unique_ptr<Loader> training_, validation_;
  std::unique_ptr<DataParallel> parallel_;  // null: one process
};

}  // namespace umbra
