// A training run. All input is checked before anything is written.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "engine/io/folder_lock.h"
#include "tools/common/experiment.h"
#include "tools/train/arguments.h"

namespace umbra {

class TrainingRun {
 public:
  /// Reads and checks all input; `arguments` must outlive this. Throws Error.
  explicit TrainingRun(const TrainArguments& arguments);
  /// Trains to the end and writes the files of the run (kRunFiles). Throws Stopped after a signal.
  void train();

 private:
  std::filesystem::path last() const { return out_ / "last.h5"; }
  std::unique_ptr<TrainingData> read_data() const;
  void keep_one_batch();
  void start(const Fitted& fitted);
  void restore();
  void make_loaders();
  void check_epochs() const;
  void open_folder();
  TrainerOptions trainer_options(std::int64_t steps_per_epoch) const;
  void export_best(double metric);

  const TrainArguments& arguments_;
  std::filesystem::path out_;
  std::unique_ptr<FolderLock> lock_;
  RunConfig config_;
  std::unique_ptr<TrainingData> data_;
  std::vector<double> fingerprint_;
  CheckpointInfo info_;
  std::unique_ptr<Experiment> experiment_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Dataset> training_data_, validation_data_;
  std::unique_ptr<Loader> training_, validation_;
};

}  // namespace umbra
