#include "tools/train/training_run.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "engine/io/atomic_file.h"
#include "engine/io/safetensors.h"
#include "engine/train/checkpointer.h"
#include "engine/train/metrics_log.h"
#include "engine/train/profile.h"
#include "engine/train/progress.h"
#include "tools/common/tool.h"
#include "tools/train/run_folder.h"
#include "tools/train/stop_signal.h"

namespace umbra {
namespace fs = std::filesystem;

TrainingRun::TrainingRun(const TrainArguments& arguments)
    : arguments_(arguments), out_(arguments.out), config_(resolve(arguments)), data_(read_data()) {
  for (const std::string& note : data_->notes()) std::cout << note << '\n';
  if (arguments.overfit) keep_one_batch();
  if (arguments.resume) {
    info_ = read_checkpoint_info(last());
    config_.task->check_fitted(info_.transform, last().string());
  }
  const Fitted fitted = arguments.resume ? info_.transform : data_->fit();
  fingerprint_ = data_->fingerprint();
  data_->scale(fitted);
  experiment_ = std::make_unique<Experiment>(config_, fitted, arguments.data);
  optimizer_ = experiment_->make_optimizer();
  const auto samples = static_cast<std::int64_t>(data_->split().train.size());
  require(config_.drop_last || samples % config_.batch != 1, samples, " training ",
          config_.task->words().unit, " leave a last batch of one for train.batch=", config_.batch,
          ", for which batch norm has no statistics; change train.batch or set train.drop_last=true");
  check_run_files(arguments);
  arguments.resume ? restore() : start(fitted);
  make_loaders();
  if (arguments.resume) check_epochs();
}

std::unique_ptr<TrainingData> TrainingRun::read_data() const {
  require(arguments_.resume || !fs::exists(last()), out_.string(),
          ": this folder already holds a run; continue it with --resume or choose another folder");
  return config_.task->read(arguments_.data);
}

// One batch, repeated, without dropout or augmentation: every correct network must memorise it.
void TrainingRun::keep_one_batch() {
  for (const Setting& option : config_.model->settings()) {
    if (option.key == "model.dropout") *std::get<double*>(option.value) = 0;
  }
  config_.task->do_not_augment();
  config_.batch = std::min(config_.batch, static_cast<std::int64_t>(data_->split().train.size()));
  require(config_.batch >= 2, "--overfit needs a batch of at least two ", config_.task->words().unit);
  data_->keep(config_.batch);
}

void TrainingRun::start(const Fitted& fitted) {
  if (!arguments_.weights.empty()) {
    load_state(experiment_->network(), read_safetensors(arguments_.weights).tensors, arguments_.weights);
  }
  info_.transform = fitted;
  info_.names = data_->names();
  info_.transform["fingerprint"] = fingerprint_;
  info_.transform["overfit"] = {arguments_.overfit ? 1.0 : 0.0};
}

void TrainingRun::restore() {
  require(info_.transform["fingerprint"] == fingerprint_, arguments_.data, ": not the ",
          config_.task->words().source, " that the run in ", out_.string(), " was trained on");
  require((info_.transform["overfit"] == std::vector<double>{1}) == arguments_.overfit,
          "--overfit must be given on resuming exactly when the run was started with it");
  load_checkpoint(last(), experiment_->network().state(), optimizer_->state());
  if (info_.has_best && !fs::exists(out_ / "best.h5")) {
    info_.has_best = false;
    std::cout << (out_ / "best.h5").string()
              << " is missing; the best of the remaining epochs will replace it\n";
  }
  optimizer_->set_steps(info_.optimizer_steps);
}

void TrainingRun::make_loaders() {
  const auto seed = static_cast<std::uint64_t>(config_.seed);
  training_data_ = data_->training();
  validation_data_ = data_->validation();
  training_ = std::make_unique<Loader>(
      *training_data_, LoaderOptions{config_.batch, seed, true, config_.drop_last, data_->augments()});
  validation_ =
      std::make_unique<Loader>(*validation_data_, LoaderOptions{config_.batch, seed, false, false, false});
}

// Reports how the learning rate changes when a run is resumed with another number of epochs.
void TrainingRun::check_epochs() const {
  const std::int64_t per_epoch = training_->batches_per_epoch(), step = info_.step;
  require(config_.epochs * per_epoch >= step, out_.string(), ": ", step, " steps of ", per_epoch,
          " per epoch are done, more than train.epochs=", config_.epochs, " has; use at least ",
          (step + per_epoch - 1) / per_epoch);
  RunConfig before;
  before.bind().read_text(info_.config, last().string() + ", attribute config");
  check_edited_config(out_, before);
  if (before.epochs == config_.epochs) return;
  std::cout << "train.epochs changes from " << before.epochs << " to " << config_.epochs << ": the "
            << config_.schedule << " schedule ";
  if (config_.schedule != "cosine")
    std::cout << "is unchanged\n";
  else
    std::cout << "now ends with epoch " << config_.epochs << ", so the learning rate continues at "
              << config_.rate(step, per_epoch) << " instead of " << before.rate(step, per_epoch) << '\n';
}

void TrainingRun::open_folder() {
  std::error_code status;
  fs::create_directories(out_, status);
  require(!status && fs::is_directory(out_), out_.string(), ": the folder cannot be created",
          status ? ": " + status.message() : "");
  lock_ = std::make_unique<FolderLock>(out_);
  remove_leftovers(out_, kRunFiles);
  for (const char* name : kRunFiles) const AtomicFile writable(out_ / name);  // before any file changes
  const std::string before = info_.config;
  info_.config = config_.bind().dump();
  if (!arguments_.resume || info_.config != before || !fs::exists(out_ / "config.toml"))
    write_text_file(out_ / "config.toml", info_.config);
  // Lets a run be resumed before its first regular checkpoint.
  if (!arguments_.resume)
    write_checkpoint(last(), info_, experiment_->network().state(), optimizer_->state());
}

TrainerOptions TrainingRun::trainer_options(std::int64_t steps_per_epoch) const {
  TrainerOptions options{config_.epochs, static_cast<std::uint64_t>(config_.seed), config_.clip,
                         config_.nan_guard, nullptr};
  options.learning_rate = [this, steps_per_epoch](std::int64_t step) {
    return config_.rate(step, steps_per_epoch);
  };
  options.graph = config_.graph == "on";
  return options;
}

void TrainingRun::train() {
  open_folder();
  const std::int64_t per_epoch = training_->batches_per_epoch();
  const Task::Words words = config_.task->words();
  const std::string metric = config_.task->metric(experiment_->fitted());
  Progress progress(stdout, config_.epochs, per_epoch, info_.step, metric, words.unit);
  MetricsLog metrics(out_ / "metrics.csv", info_.step, metric);
  Checkpointer checkpointer(out_, experiment_->network(), *optimizer_, info_, config_.checkpoint_steps,
                            [] { return stop_signal() != 0; });
  Profile profile;
  if (arguments_.profile) profile.attach(experiment_->context());
  listen_for_stop_signals();
  std::cout << data_->count() << ' ' << words.samples << ": " << data_->split().train.size()
            << " to train on, " << data_->split().validation.size() << " to validate on; "
            << config_.model->name() << " on " << name_of(experiment_->context().device()) << '\n';
  Trainer trainer(experiment_->context(), experiment_->network(), *optimizer_, experiment_->objective(),
                  trainer_options(per_epoch));
  const std::int64_t done =
      trainer.run(*training_, validation_.get(), info_.step, {&progress, &metrics, &checkpointer});
  if (done < config_.epochs * per_epoch)
    throw Stopped(stop_signal(), concat("stopped by a signal after step ", done,
                                        "; continue with: ", resume_command(arguments_)));
  export_best(checkpointer.info().best_metric);
  if (arguments_.profile) std::cout << profile.table();
}

void TrainingRun::export_best(double metric) {
  require(fs::exists(out_ / "best.h5"), out_.string(),
          ": best.h5 is missing, and no epoch is left to write another; increase train.epochs");
  Experiment best(config_, experiment_->fitted(), out_.string());
  load_checkpoint(out_ / "best.h5", best.network().state(), {});
  write_safetensors(out_ / "best.safetensors", best.network().state(),
                    {{"format", "pt"}, {"config", info_.config}});
  std::printf(
      "best validation %s %.4g; wrote %s (config.toml, metrics.csv, last.h5, best.h5, best.safetensors)\n",
      config_.task->metric(experiment_->fitted()).c_str(), metric, out_.string().c_str());
}

}  // namespace umbra
