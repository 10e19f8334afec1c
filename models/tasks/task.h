// Task: what is learnt, apart from the network that learns it: from which files, scaled how, with which loss,
// and the number that people quote. A new task is a folder of its own, its line in tasks.def, and what the tools
// write of it: predict_NAME (tools/predict/tasks.h) and evaluate_NAME (tools/evaluate/tasks.h).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/base/setting.h"
#include "engine/io/dataset.h"
#include "engine/train/train_step.h"
#include "models/model.h"

namespace umbra {

/// Numbers fitted on the training samples, by name. They belong to the network and travel in its checkpoints.
using Fitted = std::map<std::string, std::vector<double>>;

/// The samples of a file, split for training and validation.
class TrainingData {
 public:
  virtual ~TrainingData() = default;
  /// Of the file.
  virtual std::int64_t count() const = 0;
  const Split& split() const { return split_; }
  /// From now on `count` of the training samples, the first unless there are better ones, are all there is, to
  /// train and to validate on.
  virtual void keep(std::int64_t count);
  /// What a user should know of the file, a line each.
  const std::vector<std::string>& notes() const { return notes_; }

  /// The numbers around the network, from the training samples alone.
  virtual Fitted fit() const = 0;
  /// Differs when inputs or targets do; of the file as it is, before scale().
  virtual std::vector<double> fingerprint() const = 0;
  /// Samples are handed out scaled from now on. Once.
  virtual void scale(const Fitted& fitted) = 0;
  virtual bool augments() const { return false; }
  /// Of what the network is to put out, where the file has some: they travel in checkpoints, too.
  virtual std::vector<std::string> names() const { return {}; }
  /// Samples to train on, augmented where augments(), or to validate on. This object must outlive them.
  virtual std::unique_ptr<Dataset> training() const = 0;
  virtual std::unique_ptr<Dataset> validation() const = 0;

 protected:
  Split split_;
  std::vector<std::string> notes_;
};

class Task {
 public:
  /// Words for what people read.
  struct Words {
    std::string samples;  // "sub-boxes"
    std::string unit;     // "boxes", as in boxes/s
    std::string source;   // "catalog": what a file of it is called
    std::string inputs;   // "/inputs": where in it the network's inputs come from
  };

  virtual ~Task() = default;
  virtual std::string_view name() const = 0;
  /// What is learnt, in one line for --help.
  virtual std::string_view meaning() const = 0;
  virtual Words words() const = 0;
  /// What the metric of a run is called, "chi2"; the lower the better.
  virtual std::string metric(const Fitted& fitted) const = 0;
  /// Of the task, bound to this object: keys "data.…", "loss.…", and of "train.…" what only it has.
  virtual std::vector<Setting> settings() = 0;
  /// Throws Error when settings contradict one another.
  virtual void check() const {}
  virtual std::unique_ptr<Task> clone() const = 0;
  /// The model that learns it unless the user names another.
  virtual std::string_view default_model() const = 0;
  /// Turns off whatever makes a sample differ from one epoch to the next.
  virtual void do_not_augment() {}

  /// Whether `file` looks like one of this task's. Never throws.
  virtual bool recognises(const std::filesystem::path& file) const = 0;
  /// Reads a file to train on. Throws Error naming file, field and what was expected.
  virtual std::unique_ptr<TrainingData> read(const std::filesystem::path& file) const = 0;
  /// Throws Error naming `where` unless `fitted` is of a run with these settings.
  virtual void check_fitted(const Fitted& fitted, const std::string& where) const = 0;
  /// Fitted numbers that change nothing, for --dry-run. `file` may be empty; Throws Error where the shapes
  /// are in it alone and it is.
  virtual Fitted neutral(const std::filesystem::path& file) const = 0;

  /// What the network maps, and the shape of one sample's target.
  virtual SampleShape shape(const Fitted& fitted) const = 0;
  virtual Shape target_shape(const Fitted& fitted) const = 0;
  virtual DType target_dtype(const Fitted&) const { return DType::kF32; }
  /// From an input to a prediction, to a loss and to the metric. `network` must outlive it.
  virtual Objective objective(Context& context, Module& network, const Fitted& fitted) const = 0;
};

/// The task called `name` with its default settings. Throws Error naming those there are.
std::unique_ptr<Task> make_task(std::string_view name);
/// The names of all tasks, in the order of tasks.def.
std::vector<std::string> task_names();
/// The name of the task that recognises `file`; the first of all where none does.
std::string task_of_file(const std::filesystem::path& file);

}  // namespace umbra
