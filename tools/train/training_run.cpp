#include "tools/train/training_run.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "engine/base/fingerprint.h"
#include "engine/base/listed.h"
#include "engine/io/atomic_file.h"
#include "engine/io/safetensors.h"
#include "engine/train/early_stopping.h"
#include "engine/train/metrics_log.h"
#include "engine/train/profile.h"
#include "engine/train/progress.h"
#include "tools/common/processes.h"
#include "tools/common/stop_signal.h"
#include "tools/common/tool.h"
#include "tools/train/run_folder.h"

namespace umbra {
namespace fs = std::filesystem;

namespace {

// "fc" or "conv1,fc": the layers of the network that a file does not have in the same shape. Empty where there is none, and
// for a file of quite another network.
std::string layers_that_differ(Module& network, const std::vector<NamedTensor>& file) {
  constexpr int kMost = 2;
  std::string text, last;
  int count = 0;
  for (const auto& [name, tensor] : network.state()) {
    const std::string layer = name.substr(0, name.rfind('.'));
    const auto given = std::find_if(file.begin(), file.end(),
                                    [&, &of = name](const NamedTensor& other) { return other.name == of; });
    const bool fits = name.ends_with("num_batches_tracked") ||
                      (given != file.end() && given->tensor.shape() == tensor.shape());
    if (fits || layer == last) continue;
    if (++count > kMost) return "";
    text += concat(text.empty() ? "" : ",", layer);
    last = layer;
  }
  return text;
}

// What start() took from a file of weights: "w.safetensors: 20 layers start with its weights, at random: fc".
std::string taken(Module& network, const RunConfig& config, const std::string& file) {
  std::vector<std::string> layers;
  for (const Parameter& parameter : network.parameters()) {
    const std::string layer = parameter.name.substr(0, parameter.name.rfind('.'));
    if (layers.empty() || layers.back() != layer) layers.push_back(layer);
  }
  const std::string last = layers.empty() ? "" : layers.back();
  const auto is_new = [&](const std::string& layer) {
    return std::any_of(config.new_layers.begin(), config.new_layers.end(),
                       [&](const std::string& chosen) { return (layer + ".").starts_with(chosen + "."); });
  };
  const auto random = std::count_if(layers.begin(), layers.end(), is_new);
  std::string text = concat(file, ": ", std::ssize(layers) - random, " layers start with its weights");
  if (random > 0) text += concat(", at random: ", listed(config.new_layers));
  if (!is_new(last))
    text +=
        concat(", the last one (", last, "), too; for other classes or values add train.new_layers=", last);
  return text;
}

}  // namespace

TrainingRun::TrainingRun(const TrainArguments& arguments, const TrainingSet& set, const RunConfig& config,
                         const fs::path& out, Communicator& world)
    : arguments_(arguments),
      set_(set),
      config_(config),
      out_(out),
      world_(world),
      resume_(!arguments.overwrite && fs::exists(last())) {
  if (resume_) info_ = read_checkpoint_info(last());
  experiment_ = std::make_unique<Experiment>(config_, set.fitted(), arguments.data);
  optimizer_ = experiment_->make_optimizer();
  check_run_files(arguments, out_, resume_);
  resume_ ? restore() : start();
  make_loaders();
  if (resume_) check_changes();
  if (world_.size() > 1) make_parallel();
}

void TrainingRun::start() {
  if (!arguments_.weights.empty()) load_weights();
  info_.transform = set_.fitted();
  info_.names = set_.data().names();
  info_.transform["fingerprint"] = set_.fingerprint();
  info_.transform["overfit"] = {arguments_.overfit ? 1.0 : 0.0};
}

void TrainingRun::load_weights() {
  const SafeTensors file = read_safetensors(arguments_.weights);
  try {
    load_state(experiment_->network(), file.tensors, arguments_.weights, config_.new_layers);
  } catch (const Error& error) {
    const std::string others = layers_that_differ(experiment_->network(), file.tensors);
    fail(error.what(),
         others.empty() ? "" : concat("; train.new_layers=", others, " starts at random what differs"));
  }
}

void TrainingRun::restore() {
  require(info_.transform["fingerprint"] == set_.fingerprint(), arguments_.data, ": not the ",
          config_.task->words().source, " that the run in ", out_.string(), " was trained on");
  require((info_.transform["overfit"] == std::vector<double>{1}) == arguments_.overfit,
          "--overfit must be given on resuming exactly when the run was started with it");
  Fitted expected = set_.fitted();
  for (const char* own : {"fingerprint", "overfit"}) expected[own] = info_.transform[own];
  require(info_.transform == expected, last().string(),
          ": /transform differs from that of the first member of the ",
          "ensemble, which was trained on the same data");
  load_checkpoint(last(), experiment_->network().state(), optimizer_->state());
  if (info_.has_best && !has_best(out_, info_)) {
    info_.has_best = false;
    std::cout << (out_ / "best.h5").string()
              << " is missing; the best of the remaining epochs will replace it\n";
  }
  if (info_.has_best && info_.best_step < 0)  // of an earlier release
    info_.best_step = std::min(info_.step, read_checkpoint_info(out_ / "best.h5").step);
  optimizer_->set_steps(info_.optimizer_steps);
}

void TrainingRun::make_loaders() {
  const auto seed = static_cast<std::uint64_t>(config_.seed);
  const std::int64_t batch = *config_.batch.number;
  training_data_ = set_.data().training();
  validation_data_ = set_.data().validation();
  training_ = std::make_unique<Loader>(
      *training_data_,
      LoaderOptions{
          batch, seed, true, config_.drop_last, set_.data().augments(), {world_.rank(), world_.size()}});
  validation_ = std::make_unique<Loader>(*validation_data_, LoaderOptions{batch, seed, false, false, false});
}

// Refuses settings that differ from those of the checkpoint, and reports how the learning rate changes when a run is
// resumed with another number of epochs.
void TrainingRun::check_changes() {
  const std::int64_t per_epoch = training_->batches_per_epoch(), step = info_.step;
  require(config_.epochs * per_epoch >= step, out_.string(), ": ", step, " steps of ", per_epoch,
          " per epoch are done, more than train.epochs=", config_.epochs, " has; use at least ",
          (step + per_epoch - 1) / per_epoch);
  RunConfig before;
  before.bind().read_text(info_.config, last().string() + ", attribute config");
  check_edited_config(out_, before);
  require(config_.bind().dump(false) == before.bind().dump(false), last().string(),
          ": the settings of this run differ from those in ",
          (fs::path(arguments_.out) / "config.toml").string(),
          "; --resume continues an ensemble with the settings it was started with");
  if (before.epochs == config_.epochs) return;
  std::cout << "train.epochs changes from " << before.epochs << " to " << config_.epochs << ": the "
            << config_.schedule << " schedule ";
  if (config_.schedule != "cosine")
    std::cout << "is unchanged\n";
  else
    std::cout << "now ends with epoch " << config_.epochs << ", so the learning rate continues at "
              << config_.rate(step, per_epoch) << " instead of " << before.rate(step, per_epoch) << '\n';
}

void TrainingRun::open() {
  const std::string before = info_.config;
  info_.config = config_.bind().dump();
  compare_files();
  first_process(world_, [&] { write_first_files(before); });
}

// Throws Error unless all processes have read the same data and the same checkpoint: another host may have other files of
// these names. All have looked at the files that are there, then.
void TrainingRun::compare_files() const {
  Fingerprint data;
  data.add(set_.fingerprint());
  world_.compare(data.value(), arguments_.data + ": the data");
  world_.compare({static_cast<double>(info_.step)}, last().string() + ": the steps done");
}

void TrainingRun::write_first_files(const std::string& config_before) {
  lock_ = open_folder(out_, kRunFiles);
  for (const char* name : kRunFiles) const AtomicFile writable(out_ / name);  // before any file changes
  if (arguments_.overwrite) remove_best(out_);
  if (!resume_ || info_.config != config_before || !fs::exists(out_ / "config.toml"))
    write_text_file(out_ / "config.toml", info_.config);
  // Lets a run be resumed before its first regular checkpoint.
  if (!resume_) write_checkpoint(last(), info_, experiment_->network().state(), optimizer_->state());
  write_text_file(out_ / "baselines.json", set_.baselines_json(metric()));
}

TrainerOptions TrainingRun::trainer_options(std::int64_t per_epoch) const {
  TrainerOptions options{config_.epochs, static_cast<std::uint64_t>(config_.seed), config_.clip,
                         config_.nan_guard, nullptr};
  options.learning_rate = [this, per_epoch](std::int64_t step) { return config_.rate(step, per_epoch); };
  options.graph = config_.graph == "on";
  return options;
}

void TrainingRun::describe() const {
  for (const std::string& note : set_.notes()) std::cout << note << '\n';
  const Task::Words words = config_.task->words();
  const SampleSplit& split = set_.data().split();
  std::cout << set_.data().count() << ' ' << words.samples << ": " << split.train.size() << " to train on, "
            << split.validation.size() << " to validate on; " << config_.model->name() << " on "
            << name_of(experiment_->context().device()) << "\nbaselines, validation " << metric() << ": "
            << set_.baselines_text() << '\n';
}

void TrainingRun::describe_weights() const {
  if (!resume_ && !arguments_.weights.empty())
    std::cout << taken(experiment_->network(), config_, arguments_.weights) << '\n';
}

bool TrainingRun::is_finished() const {
  return !steps_left() && fs::exists(out_ / "best.safetensors");
}

bool TrainingRun::steps_left() const {
  return info_.step < config_.epochs * training_->batches_per_epoch() &&
         !is_out_of_patience(info_, patience());
}

// A bucket is sent in as many messages as there are processes. A message between GPUs costs the time of some kernels to
// start, and a longer one takes little more.
void TrainingRun::make_parallel() {
  const bool on_cpu = experiment_->context().device().kind == Device::Kind::kCpu;
  const std::int64_t message = on_cpu ? 1 << 17 : 1 << 20;
  parallel_ = std::make_unique<DataParallel>(
      world_, experiment_->context(), experiment_->network(),
      DataParallelOptions{config_.sync_batch_norm, [] { return stop_signal(); }, message * world_.size()});
}

void TrainingRun::run_steps() {
  const std::int64_t per_epoch = training_->batches_per_epoch();
  const auto signal = [&] { return parallel_ ? parallel_->stop_signal() : stop_signal(); };
  Checkpointer checkpointer(
      out_, experiment_->context().stream, experiment_->network(), *optimizer_, info_,
      config_.checkpoint_steps, [&] { return signal() != 0; }, parallel_.get());
  checkpointer.compare();
  EarlyStopping patience_is_over(checkpointer, patience());
  std::vector<Observer*> observers{&checkpointer, &patience_is_over};
  std::unique_ptr<Progress> progress;
  std::unique_ptr<MetricsLog> metrics;
  if (world_.first()) {
    progress = std::make_unique<Progress>(stdout, config_.epochs, per_epoch, info_.step, metric(),
                                          config_.task->words().unit);
    metrics = std::make_unique<MetricsLog>(out_ / "metrics.csv", info_.step, metric());
    observers.insert(observers.begin(), {progress.get(), metrics.get()});
  }
  TrainerOptions options = trainer_options(per_epoch);
  options.parallel = parallel_.get();
  Trainer trainer(experiment_->context(), experiment_->network(), *optimizer_, experiment_->objective(),
                  options);
  trainer.run(*training_, validation_.get(), info_.step, observers);
  info_ = checkpointer.info();
  stopped_by_ = signal();
  if (arguments_.profile && parallel_) std::cout << parallel_->trace();
}

void TrainingRun::train() {
  Profile profile;
  if (arguments_.profile) profile.attach(experiment_->context());
  listen_for_stop_signals("after this step");
  const std::int64_t per_epoch = training_->batches_per_epoch();
  if (steps_left())
    run_steps();
  else if (info_.step == config_.epochs * per_epoch)
    std::cout << "all " << config_.epochs
              << " epochs of this run have been trained; a larger train.epochs continues it\n";
  if (steps_left())
    throw Stopped(stopped_by_, concat("stopped by a signal after step ", info_.step, "; ",
                                      how_to_continue(arguments_, world_.size())));
  if (info_.step < config_.epochs * per_epoch)
    std::cout << "stopped after epoch " << info_.step / per_epoch << ": the validation " << metric()
              << " has not become better since epoch " << info_.best_step / per_epoch
              << " (train.patience=" << config_.patience << ")\n";
  first_process(world_, [&] { export_best(); });
  if (arguments_.profile) std::cout << profile.table();
}

void TrainingRun::export_best() {
  require(fs::exists(out_ / "best.h5"), out_.string(),
          ": best.h5 is missing, and no epoch is left to write another; increase train.epochs");
  Experiment best(config_, experiment_->fitted(), out_.string());
  load_checkpoint(out_ / "best.h5", best.network().state(), {});
  write_safetensors(out_ / "best.safetensors", best.network().state(),
                    {{"format", "pt"}, {"config", info_.config}});
  std::printf("best validation %s %.4g in epoch %lld (%s)\n", metric().c_str(), info_.best_metric,
              static_cast<long long>(info_.best_step / training_->batches_per_epoch()),
              set_.baselines_text().c_str());
  if (!set_.beats_the_mean(info_.best_metric)) {
    const bool stopped_early = info_.step < config_.epochs * training_->batches_per_epoch();
    std::cout << "no epoch was better than the " << set_.baselines().front().name
              << ": the network has learnt nothing useful; a different train.learning_rate, "
              << (stopped_early ? "a larger train.patience" : "more train.epochs") << " or more "
              << config_.task->words().samples << " may help\n";
  }
  std::cout << "wrote " << out_.string()
            << " (config.toml, baselines.json, metrics.csv, last.h5, best.h5, best.safetensors)\n";
}

}  // namespace umbra
