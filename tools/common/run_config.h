// The settings of a training run: what `train` reads from TOML and from key=value arguments, and writes to
// RUN/config.toml. They include the settings of a task (models/tasks/task.h) and of a model (models/model.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/cloned.h"
#include "engine/io/config.h"
#include "models/model.h"
#include "models/tasks/task.h"

namespace umbra {

struct RunConfig {
  std::string device = "auto";
  Precision precision = Precision::kF32;
  std::string kernels;
  Cloned<Task> task = make_task("smf");
  Cloned<Model> model = make_model(task->default_model());

  std::int64_t epochs = 60;
  Auto<std::int64_t> batch;  // samples per step; auto: batch_for()
  std::int64_t seed = 1;
  std::int64_t seeds = 1;     // more than 1: an ensemble
  std::int64_t patience = 0;  // epochs; 0: no early stopping
  bool drop_last = true;
  std::vector<std::string> new_layers;  // that --weights does not change
  std::string optimizer = "adam";
  double momentum = 0.9;
  double weight_decay = 0;
  std::string schedule = "cosine";
  double learning_rate = 3e-3;
  double warmup_epochs = 0;
  std::vector<double> step_epochs, step_rates;
  double clip = 0;
  bool nan_guard = true;
  std::string graph = "on";
  std::int64_t checkpoint_steps = 0;
  bool sync_batch_norm = false;
  double timeout = 300;  // seconds

  /// Selects the task and its default model, for the file or folder `data` if that is known.
  void choose_task(std::string_view name, const std::filesystem::path& data = {});
  /// Every setting with its meaning and bounds, bound to this object.
  Config bind();
  /// Throws Error when settings contradict one another.
  void check() const;
  static constexpr std::int64_t kUsualBatch = 32;
  /// The batch if it is auto: half of the training samples, but at least 2 and at most kUsualBatch.
  static std::int64_t batch_for(std::int64_t samples);
  /// The learning rate at a step.
  double rate(std::int64_t step, std::int64_t steps_per_epoch) const;

 private:
  std::vector<Setting> settings();

  std::string task_name_{task->name()}, model_name_{model->name()};  // the values of the settings
};

}  // namespace umbra
