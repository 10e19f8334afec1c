#include "tools/common/run_config.h"

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "engine/optim/schedule.h"

namespace umbra {
namespace {

constexpr double kMany = 1e9, kMostSeeds = 1000;

std::vector<Setting> machine_settings(RunConfig& c) {
  return {
      changeable({"device", "auto, cpu, cuda or cuda:N", &c.device}),
      {"precision",
       "of convolutions and linear layers: fp32, or operands rounded to tf32 or bf16 (sums, weights and "
       "moments stay in fp32). tf32 is fast on GPUs; a CPU computes the same numbers but takes longer",
       &c.precision},
      changeable({"kernels",
                  "kernels to prefer, e.g. conv_fprop=reference, or conv3d=cudnn on a GPU; empty: the "
                  "registry's choice",
                  &c.kernels}),
  };
}

std::vector<Setting> train_settings(RunConfig& c) {
  return {
      changeable({"train.epochs", "passes over the training samples", &c.epochs, 1, kMany}),
      {"train.batch", "samples per step. auto: half of the training samples, from 2 to 32", &c.batch, 2,
       kMany},
      {"train.seed", "seed of initial weights, order, dropout and augmentation", &c.seed, 0, kMany},
      {"train.seeds",
       "more than 1: an ensemble of runs in the folders seed-1, seed-2, ... with the seeds train.seed, "
       "train.seed + 1, ...",
       &c.seeds, 1, kMostSeeds},
      changeable({"train.patience",
                  "stop after this many epochs without a better validation metric; 0: never", &c.patience, 0,
                  kMany}),
      {"train.drop_last", "leave out the last, smaller batch of an epoch", &c.drop_last},
      {"train.new_layers",
       "with --weights: layers that start at random all the same, e.g. [fc] for other classes than those of the file",
       &c.new_layers},
      {"train.optimizer", "adam, adamw or sgd", &c.optimizer, 0, 0, {"adam", "adamw", "sgd"}},
      {"train.momentum", "momentum of sgd", &c.momentum, 0, 0.9999},
      {"train.weight_decay", "L2 for adam and sgd, decoupled for adamw", &c.weight_decay, 0, 10},
      {"train.schedule", "constant, step or cosine", &c.schedule, 0, 0, {"constant", "step", "cosine"}},
      {"train.learning_rate", "rate of the schedules constant and cosine", &c.learning_rate, 0, 1e3},
      {"train.warmup_epochs", "cosine: linear rise over this many epochs", &c.warmup_epochs, 0, kMany},
      {"train.step_epochs", "step: epochs at which the rate changes, e.g. [10]", &c.step_epochs, 0, kMany},
      {"train.step_rates", "step: the rates between them, one more than step_epochs", &c.step_rates, 0, 1e3},
      {"train.clip", "largest norm of the gradient; 0: no clipping", &c.clip, 0, 1e30},
      changeable({"train.nan_guard",
                  "stop at the first loss that is not finite and report where it came from", &c.nan_guard}),
      changeable(
          {"train.graph",
           "on a GPU: replay the captured step (on) or queue its ops one by one (off); the results are "
           "bit-identical",
           &c.graph,
           0,
           0,
           {"on", "off"}}),
      changeable(
          {"train.checkpoint_steps",
           "write last.h5 after this many steps, in addition to every epoch, unless a file is being written then; 0: "
           "only after epochs",
           &c.checkpoint_steps, 0, kMany}),
      {"train.sync_batch_norm",
       "several processes: batch norm uses the statistics of the whole batch, not those of each process's part",
       &c.sync_batch_norm},
      changeable({"train.timeout",
                  "several processes: seconds after which the training ends if one of them does not answer",
                  &c.timeout, 1, 1e6}),
  };
}

// "NAME: what it is; NAME: …"
template <class Make>
std::string meanings(const std::vector<std::string>& names, const Make& make) {
  std::string text;
  for (const std::string& name : names)
    text += concat(text.empty() ? "" : "; ", name, ": ", make(name)->meaning());
  return text;
}

}  // namespace

void RunConfig::choose_task(std::string_view name, const std::filesystem::path& data) {
  task = make_task(name);
  model = make_model(data.empty() ? task->default_model() : task->default_model_for(data));
  task_name_ = task->name();
  model_name_ = model->name();
}

// The task and the model are handled first, because the other settings depend on them.
std::vector<Setting> RunConfig::settings() {
  if (task_name_ != task->name()) {
    const bool another_model = model_name_ != task->default_model();
    const std::string chosen = model_name_;
    choose_task(std::string(task_name_));
    if (another_model) model_name_ = chosen;
  }
  if (model_name_ != model->name()) model = make_model(model_name_);
  std::vector<Setting> all = machine_settings(*this);
  all.push_back({"task", "what is learnt. " + meanings(task_names(), make_task), &task_name_, 0, 0,
                 task_names(), true});
  all.push_back({"model.name", "the network. " + meanings(model_names(), make_model), &model_name_, 0, 0,
                 model_names(), true});
  for (const std::vector<Setting>& own : {model->settings(), task->settings(), train_settings(*this)})
    all.insert(all.end(), own.begin(), own.end());
  return all;
}

Config RunConfig::bind() {
  return Config([this] { return settings(); });
}

void RunConfig::check() const {
  task->check();
  const auto most = static_cast<std::int64_t>(kMany);
  require(seed + seeds - 1 <= most, "train.seed=", seed, " and train.seeds=", seeds,
          ": the last seed would be ", seed + seeds - 1, ", but at most ", most, " is allowed");
  if (schedule == "step") {
    require(step_rates.size() == step_epochs.size() + 1,
            "train.step_rates must have one entry more than train.step_epochs, but they have ",
            step_rates.size(), " and ", step_epochs.size());
    for (std::size_t i = 1; i < step_epochs.size(); ++i) {
      require(step_epochs[i] > step_epochs[i - 1], "train.step_epochs must ascend");
    }
  }
}

std::int64_t RunConfig::batch_for(std::int64_t samples) {
  return std::clamp<std::int64_t>(samples / 2, 2, kUsualBatch);
}

double RunConfig::rate(std::int64_t step, std::int64_t steps_per_epoch) const {
  const auto steps_of = [&](double epochs_) {
    return static_cast<std::int64_t>(std::llround(epochs_ * static_cast<double>(steps_per_epoch)));
  };
  if (schedule == "step") {
    std::vector<std::int64_t> boundaries;
    for (double epoch : step_epochs) boundaries.push_back(steps_of(epoch));
    return step_schedule(step, boundaries, step_rates);
  }
  if (schedule == "cosine")
    return cosine_schedule(step, epochs * steps_per_epoch, steps_of(warmup_epochs), learning_rate);
  return learning_rate;
}

}  // namespace umbra
