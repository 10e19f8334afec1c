// Task: everything about a learning problem except the network: the files, the scaling, the loss and the
// metric. A new task is its own folder, a line in tasks.def, and the output of the tools: predict_NAME
// (tools/predict/tasks.h) and evaluate_NAME (tools/evaluate/tasks.h).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/base/setting.h"
#include "engine/base/stage.h"
#include "engine/io/dataset.h"
#include "engine/train/train_step.h"
#include "models/model.h"

namespace umbra {

/// Numbers fitted on the training samples, by name. They belong to the network; its checkpoints store them.
using Fitted = std::map<std::string, std::vector<double>>;

/// A prediction without a network, to compare a run with.
struct Baseline {
  std::string name;   ///< "mean SMF"
  double metric = 0;  ///< the mean of Objective::metric over the validation samples
};

/// The samples of a file, split for training and validation.
class TrainingData {
 public:
  virtual ~TrainingData() = default;
  /// The number of samples in the file.
  virtual std::int64_t count() const = 0;
  /// Which samples are trained on and which validate.
  const SampleSplit& split() const { return split_; }
  /// Keeps `count` of the training samples and uses them for both training and validation. The base class
  /// keeps the first ones.
  virtual void keep(std::int64_t count);
  /// Remarks about the file for the user, one line each.
  const std::vector<std::string>& notes() const { return notes_; }

  /// The numbers that scale inputs and outputs, computed from the training samples alone.
  virtual Fitted fit() const = 0;
  /// A fingerprint of inputs and targets as the file has them, before scale().
  virtual std::vector<double> fingerprint() const = 0;
  /// Scores of predictions that need no network, as evaluate reports them. The first is a constant, which every
  /// network that has learnt something beats. To be called before scale().
  virtual std::vector<Baseline> baselines() const = 0;
  /// Scales all samples that training() and validation() return. To be called once.
  virtual void scale(const Fitted& fitted) = 0;
  /// Whether training() returns augmented samples.
  virtual bool augments() const { return false; }
  /// The names of the outputs (classes or values), empty where the file has none. Checkpoints store them.
  virtual std::vector<std::string> names() const { return {}; }
  /// Samples to train on, augmented where augments(). This object must outlive them.
  virtual std::unique_ptr<Dataset> training() const = 0;
  /// Samples to validate on, never augmented. This object must outlive them.
  virtual std::unique_ptr<Dataset> validation() const = 0;

 protected:
  SampleSplit split_;               ///< see split()
  std::vector<std::string> notes_;  ///< see notes()
};

/// A learning problem without the network that solves it. make_task() returns one by its name.
class Task {
 public:
  /// The words that messages and reports use for this task.
  struct Words {
    std::string samples;  ///< "sub-boxes"
    std::string unit;     ///< "boxes", as in boxes/s
    std::string source;   ///< "catalog": the kind of file
    std::string inputs;   ///< "/inputs": the part of the file that the network's inputs come from
  };

  virtual ~Task() = default;
  /// The name in tasks.def and of the setting `task`.
  virtual std::string_view name() const = 0;
  /// A description in one line, for --help.
  virtual std::string_view meaning() const = 0;
  /// The words of this task.
  virtual Words words() const = 0;
  /// The name of a run's metric, e.g. "chi2"; lower is better.
  virtual std::string metric(const Fitted& fitted) const = 0;
  /// The settings of the task, bound to this object, with keys "data.…", "loss.…" and, where only this task
  /// has them, "train.…".
  virtual std::vector<Setting> settings() = 0;
  /// Throws Error when settings contradict one another.
  virtual void check() const {}
  /// A copy with the same settings.
  virtual std::unique_ptr<Task> clone() const = 0;
  /// The name of the model that is used when the user names none.
  virtual std::string_view default_model() const = 0;
  /// The same for a file or folder.
  virtual std::string_view default_model_for(const std::filesystem::path& /*data*/) const {
    return default_model();
  }
  /// Turns off augmentation, so that a sample is the same in every epoch.
  virtual void do_not_augment() {}

  /// Whether `file` looks like a file or folder of this task. Never throws.
  virtual bool recognises(const std::filesystem::path& file) const = 0;
  /// Lets read() keep files next to the folder of a run, with which it reads the same data faster the next time.
  virtual void keep_files_next_to(const std::filesystem::path& /*run*/) {}
  /// Lets read() use such files, but writes none that the user did not ask for.
  virtual void find_files_next_to(const std::filesystem::path& /*run*/) {}
  /// Reads a file or folder to train on, and gives settings that are auto the numbers that suit it. The task must outlive
  /// the result. Long work is reported to `progress`. Throws Error with file, field and what was expected.
  virtual std::unique_ptr<TrainingData> read(const std::filesystem::path& file,
                                             const StageReport& progress = {}) = 0;
  /// Gives settings that leave a choice to the data, such as columns of a table, what read() chose for `data`: a new run
  /// keeps it.
  virtual void keep_choices(const TrainingData& /*data*/) {}
  /// Throws Error, which begins with `where`, unless `fitted` belongs to a run with these settings.
  virtual void check_fitted(const Fitted& fitted, const std::string& where) const = 0;
  /// Fitted numbers that scale by 1, for --dry-run. Throws Error when `file` is empty and the task needs it
  /// to know the shapes.
  virtual Fitted neutral(const std::filesystem::path& file) const = 0;

  /// The shape of one input and the number of outputs.
  virtual SampleShape shape(const Fitted& fitted) const = 0;
  /// The shape of one sample's target.
  virtual Shape target_shape(const Fitted& fitted) const = 0;
  /// The prediction of an ensemble from the predictions of its members, [samples, outputs] each: their mean.
  virtual std::vector<double> combined(const std::vector<std::vector<double>>& of_members,
                                       const Fitted& fitted) const;
  /// The type of the targets on the device; kI32 for class labels.
  virtual DType target_dtype(const Fitted&) const { return DType::kF32; }
  /// The functions from an input to a prediction, from a prediction to the loss, and to the metric.
  /// `network` must outlive them.
  virtual Objective objective(Context& context, Module& network, const Fitted& fitted) const = 0;
};

/// The task called `name` with its default settings. Throws Error with the list of all names when there is
/// none.
std::unique_ptr<Task> make_task(std::string_view name);
/// The names of all tasks, in the order of tasks.def.
std::vector<std::string> task_names();
/// The name of the first task that recognises `file`; if none does, the first in tasks.def.
std::string task_of_file(const std::filesystem::path& file);

}  // namespace umbra
