// train: learns the stellar mass function of sub-boxes from their halos. See --help and the README.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <fstream>
#include <iostream>
#include <numeric>
#include <sstream>

#include "engine/io/atomic_file.h"
#include "engine/io/folder_lock.h"
#include "engine/io/safetensors.h"
#include "engine/train/checkpointer.h"
#include "engine/train/metrics_log.h"
#include "engine/train/profile.h"
#include "engine/train/progress.h"
#include "tools/common/dry_run.h"
#include "tools/common/experiment.h"
#include "tools/common/tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string program, data, out, config, weights;
  std::vector<std::string> settings;
  bool resume = false, overfit = false, dry_run = false, profile = false;
};

// A signal asks for a stop after the step at hand; another one is not waited for, unless it comes with the
// first: timeout and batch systems signal a process and then its group.
std::atomic<int> stop_signal{0};
std::atomic<std::int64_t> stopped_at{0};  // milliseconds

void on_signal(int signal) {
  constexpr std::int64_t kTogether = 1000;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t milliseconds = std::int64_t{1000} * now.tv_sec + now.tv_nsec / 1'000'000;
  if (stop_signal == 0) {
    stopped_at = milliseconds;
    stop_signal = signal;
  } else if (milliseconds - stopped_at > kTogether) {
    stop_at_once(signal);
  }
}

// What a shell takes to go on with a run.
std::string resume_command(const Arguments& arguments) {
  std::string command = shell_word(arguments.program) + " --data " + shell_word(arguments.data) + " --out " +
                        shell_word(arguments.out) + " --resume";
  if (arguments.overfit) command += " --overfit";
  if (arguments.profile) command += " --profile";
  return command;
}

RunConfig resolve(const Arguments& arguments) {
  RunConfig config;
  Config binding = config.bind();
  if (arguments.resume) {
    const fs::path last = fs::path(arguments.out) / "last.h5";
    require(fs::exists(last), last.string(), ": no checkpoint to resume from");
    require(arguments.config.empty(),
            "--resume continues with the configuration of the run; --config cannot change it");
    require(arguments.weights.empty(),
            "--resume continues with the weights of the run; --weights cannot change them");
    binding.read_text(read_checkpoint_info(last).config, last.string() + ", attribute config");
  }
  if (!arguments.config.empty()) binding.read_file(arguments.config);
  for (const std::string& setting : arguments.settings) {
    const std::string key = setting.substr(0, setting.find('='));
    const bool harmless = key == "train.epochs" || key == "train.checkpoint_steps" ||
                          key == "train.nan_guard" || key == "train.graph" || key == "device" ||
                          key == "kernels";
    require(!arguments.resume || harmless, "--resume continues with the settings of the run; ", key,
            " cannot be changed (train.epochs, train.checkpoint_steps, train.nan_guard, train.graph, device "
            "and kernels "
            "can)");
    binding.set(setting);
  }
  config.check();
  return config;
}

// One batch, seen again and again, without dropout or augmentation: any sound network must learn it by heart.
Split one_batch(const Split& split, RunConfig& config) {
  config.dropout = 0;
  config.symmetries = config.shifts = false;
  const auto count = std::min(split.train.size(), static_cast<std::size_t>(config.batch));
  const std::vector<std::int64_t> batch(split.train.begin(),
                                        split.train.begin() + static_cast<std::ptrdiff_t>(count));
  config.batch = static_cast<std::int64_t>(count);
  require(count >= 2, "--overfit needs a batch of at least two boxes");
  return {batch, batch};
}

// Whether train wrote this configuration: it begins with the first of all settings, as dump() has it, since
// 2026 behind the version.
bool is_of_a_run(const fs::path& config) {
  std::ifstream stream(config);
  std::string line;
  std::getline(stream, line);
  if (line.starts_with("format_version = ")) std::getline(stream, line);
  RunConfig defaults;
  std::istringstream settings(defaults.bind().dump());
  std::string first;
  while (std::getline(settings, first) && first.starts_with("format_version")) continue;
  const auto comment = [](const std::string& text) {
    return text.substr(std::min(text.find("  # "), text.size()));
  };
  return !line.empty() && !comment(line).empty() && comment(line) == comment(first);
}

// A training run in the order in which it comes to life: everything that can be wrong with the input is
// looked at before anything is written.
class Run {
 public:
  explicit Run(const Arguments& arguments)
      : arguments_(arguments),
        out_(arguments.out),
        config_(resolve(arguments)),
        boxes_(read_boxes()),
        split_(config_.split(boxes_.count)) {
    if (arguments.overfit) split_ = one_batch(split_, config_);
    if (arguments.resume) info_ = read_checkpoint_info(last());
    const Transform transform = arguments.resume ? from_map(info_.transform, config_, last().string())
                                                 : fit_transform(boxes_, split_.train, config_);
    fingerprint_ = fingerprint(boxes_);
    scale_inputs(boxes_, transform);
    experiment_ = std::make_unique<Experiment>(config_, transform);
    optimizer_ = experiment_->make_optimizer();
    const auto samples = static_cast<std::int64_t>(split_.train.size());
    require(config_.drop_last || samples % config_.batch != 1, samples,
            " training boxes leave a last batch of one for train.batch=", config_.batch,
            ", which batch norm cannot use; change train.batch or set train.drop_last=true");
    check_files();
    arguments.resume ? restore() : start(transform);
    const auto seed = static_cast<std::uint64_t>(config_.seed);
    const bool augment = config_.symmetries || config_.shifts;
    training_data_ =
        std::make_unique<BoxDataset>(boxes_, split_.train, Augmentation{config_.symmetries, config_.shifts});
    validation_data_ = std::make_unique<BoxDataset>(boxes_, split_.validation, Augmentation{});
    training_ = std::make_unique<Loader>(
        *training_data_, LoaderOptions{config_.batch, seed, true, config_.drop_last, augment});
    validation_ =
        std::make_unique<Loader>(*validation_data_, LoaderOptions{config_.batch, seed, false, false, false});
    if (arguments.resume) check_epochs();
  }

  void train() {
    open_folder();
    const std::int64_t per_epoch = training_->batches_per_epoch();
    TrainerOptions options{config_.epochs, static_cast<std::uint64_t>(config_.seed), config_.clip,
                           config_.nan_guard, nullptr};
    options.learning_rate = [&](std::int64_t step) { return config_.rate(step, per_epoch); };
    options.graph = config_.graph == "on";
    Progress progress(stdout, config_.epochs, per_epoch, info_.step, "chi2", "boxes");
    MetricsLog metrics(out_ / "metrics.csv", info_.step);
    Checkpointer checkpointer(out_, experiment_->network(), *optimizer_, info_, config_.checkpoint_steps,
                              [] { return stop_signal != 0; });
    Profile profile;
    if (arguments_.profile) profile.attach(experiment_->context());
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    std::printf("%lld sub-boxes: %zu to train on, %zu to validate on; %s on %s\n",
                static_cast<long long>(boxes_.count), split_.train.size(), split_.validation.size(),
                config_.model.c_str(), name_of(experiment_->context().device()).c_str());
    Trainer trainer(experiment_->context(), experiment_->network(), *optimizer_, experiment_->task(),
                    options);
    const std::int64_t done =
        trainer.run(*training_, validation_.get(), info_.step, {&progress, &metrics, &checkpointer});
    if (done < config_.epochs * per_epoch)
      throw Stopped(stop_signal, concat("stopped by a signal after step ", done,
                                        "; continue with: ", resume_command(arguments_)));
    export_best(checkpointer.info().best_metric);
    if (arguments_.profile) std::cout << profile.table();
  }

 private:
  fs::path last() const { return out_ / "last.h5"; }

  BoxSet read_boxes() const {
    require(arguments_.resume || !fs::exists(last()), out_.string(),
            ": this folder already holds a run; continue it with --resume or choose another folder");
    CatalogReport report;
    const Catalog catalog = read_catalog(arguments_.data, &report);
    if (report.wrapped > 0)
      std::cout << report.wrapped << " positions lay outside the box and were wrapped\n";
    BoxSet boxes = make_boxes(catalog, config_.box_options());
    require(!boxes.smf.empty(), arguments_.data,
            ": the catalog has no column stellar_mass, so there are no labels to learn from");
    require(std::accumulate(boxes.halos.begin(), boxes.halos.end(), std::int64_t{0}) > 0, arguments_.data,
            ": no halo has vpeak >= ", boxes.options.min_vpeak, " km/s, so there is nothing to learn from");
    require(!boxes.galaxies.empty(), arguments_.data,
            ": no galaxy has a stellar mass in the bins, so there is nothing to learn");
    const auto empty = std::count(boxes.halos.begin(), boxes.halos.end(), 0);
    if (empty > 0) std::cout << empty << " of " << boxes.count << " sub-boxes hold no halo above the cut\n";
    return boxes;
  }

  // Nothing that is not of a run is written over, and no input.
  void check_files() const {
    std::vector<InputFile> inputs{{"--data", arguments_.data}};
    if (!arguments_.config.empty()) inputs.push_back({"--config", arguments_.config});
    if (!arguments_.weights.empty()) inputs.push_back({"--weights", arguments_.weights});
    for (const char* name : kRunFiles) refuse_input_as_output(out_ / name, inputs);
    if (arguments_.resume) return;
    for (const char* name : kRunFiles) {
      // The configuration alone is what a run leaves that was killed before its first checkpoint.
      const bool remains = name == std::string_view("config.toml") && is_of_a_run(out_ / name);
      require(remains || !fs::exists(fs::symlink_status(out_ / name)), out_.string(), ": the folder holds a ",
              name, " and no last.h5 to resume from; it would be lost, choose another folder");
    }
  }

  // Settings that were edited in config.toml would be ignored, and the edit lost.
  void check_edits(const RunConfig& of_run) const {
    const fs::path file = out_ / "config.toml";
    if (!fs::exists(file)) return;
    RunConfig edited, expected = of_run;
    edited.bind().read_file(file);
    for (RunConfig* config : {&edited, &expected}) {  // what --resume may change
      config->epochs = config_.epochs;
      config->checkpoint_steps = config_.checkpoint_steps;
      config->nan_guard = config_.nan_guard;
      config->graph = config_.graph;
      config->device = config_.device;
      config->kernels = config_.kernels;
    }
    require(edited.bind().dump() == expected.bind().dump(), file.string(),
            ": it was changed since the run was started; --resume goes on with the settings in last.h5, so "
            "put it back "
            "or remove it");
  }

  // What becomes of the learning rate when a run goes on for more or fewer epochs than it was begun for.
  void check_epochs() const {
    const std::int64_t per_epoch = training_->batches_per_epoch(), step = info_.step;
    require(config_.epochs * per_epoch >= step, out_.string(), ": ", step, " steps of ", per_epoch,
            " per epoch are done, more than train.epochs=", config_.epochs, " has; give at least ",
            (step + per_epoch - 1) / per_epoch);
    RunConfig before;
    before.bind().read_text(info_.config, last().string() + ", attribute config");
    check_edits(before);
    if (before.epochs == config_.epochs) return;
    std::cout << "train.epochs changes from " << before.epochs << " to " << config_.epochs << ": the "
              << config_.schedule << " schedule ";
    if (config_.schedule != "cosine")
      std::cout << "stays as it is\n";
    else
      std::cout << "now ends with epoch " << config_.epochs << ", so the learning rate goes on at "
                << config_.rate(step, per_epoch) << ", where it would have been "
                << before.rate(step, per_epoch) << '\n';
  }

  void restore() {
    require(info_.transform["fingerprint"] == fingerprint_, arguments_.data,
            ": not the catalog that the run in ", out_.string(), " was trained on");
    require((info_.transform["overfit"] == std::vector<double>{1}) == arguments_.overfit,
            "--overfit must be given on resuming exactly when the run was started with it");
    load_checkpoint(last(), experiment_->network().state(), optimizer_->state());
    if (info_.has_best && !fs::exists(out_ / "best.h5")) {
      info_.has_best = false;
      std::cout << (out_ / "best.h5").string()
                << " is gone; the best of the epochs to come takes its place\n";
    }
    optimizer_->set_steps(info_.optimizer_steps);
  }

  void start(const Transform& transform) {
    if (!arguments_.weights.empty()) {
      load_state(experiment_->network(), read_safetensors(arguments_.weights).tensors, arguments_.weights);
    }
    info_.transform = to_map(transform);
    info_.transform["fingerprint"] = fingerprint_;
    info_.transform["overfit"] = {arguments_.overfit ? 1.0 : 0.0};
  }

  void open_folder() {
    std::error_code status;
    fs::create_directories(out_, status);
    require(!status && fs::is_directory(out_), out_.string(), ": the folder cannot be made",
            status ? ": " + status.message() : "");
    lock_ = std::make_unique<FolderLock>(out_);
    remove_leftovers(out_, kRunFiles);
    for (const char* name : kRunFiles) const AtomicFile writable(out_ / name);  // before any of them changes
    const std::string before = info_.config;
    info_.config = config_.bind().dump();
    if (!arguments_.resume || info_.config != before || !fs::exists(out_ / "config.toml"))
      write_text_file(out_ / "config.toml", info_.config);
    // A run can be resumed from its very beginning.
    if (!arguments_.resume)
      write_checkpoint(last(), info_, experiment_->network().state(), optimizer_->state());
  }

  void export_best(double metric) {
    require(fs::exists(out_ / "best.h5"), out_.string(),
            ": best.h5 is gone, and no epoch was left to make another; give more train.epochs");
    Experiment best(config_, experiment_->transform());
    load_checkpoint(out_ / "best.h5", best.network().state(), {});
    write_safetensors(out_ / "best.safetensors", best.network().state(),
                      {{"format", "pt"}, {"config", info_.config}});
    std::printf(
        "best validation chi2 %.4g; wrote %s (config.toml, metrics.csv, last.h5, best.h5, "
        "best.safetensors)\n",
        metric, out_.string().c_str());
  }

  const Arguments& arguments_;
  fs::path out_;
  std::unique_ptr<FolderLock> lock_;
  RunConfig config_;
  BoxSet boxes_;
  Split split_;
  std::vector<double> fingerprint_;
  CheckpointInfo info_;
  std::unique_ptr<Experiment> experiment_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<BoxDataset> training_data_, validation_data_;
  std::unique_ptr<Loader> training_, validation_;
};

void run(const Arguments& arguments) {
  if (arguments.dry_run) {
    std::cout << dry_run(resolve(arguments));
    return;
  }
  Run(arguments).train();
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Arguments arguments;
  arguments.program = argv[0];
  umbra::ToolApp app("Train a network on a catalog of halos and galaxies.", "train");
  app.add_option("--data", arguments.data, "catalog (HDF5) with stellar masses");
  app.add_option("--out", arguments.out,
                 "folder of the run: config.toml, metrics.csv, last.h5, best.h5, best.safetensors");
  app.add_option("--config", arguments.config, "settings, a TOML file; models/configs holds two");
  app.add_option("--weights", arguments.weights, "start from these weights (safetensors, PyTorch names)");
  app.add_option("settings", arguments.settings, "key=value, after the configuration file");
  app.add_flag("--resume", arguments.resume, "continue the run in --out from its last checkpoint");
  app.add_flag("--overfit", arguments.overfit, "learn a single batch by heart: a check that learning works");
  app.add_flag("--dry-run", arguments.dry_run, "print shapes, parameters, memory and work, and stop");
  app.add_flag("--profile", arguments.profile, "print what every op cost, at the end");
  app.final_callback([&] {  // a wrong command line, not a wrong input
    if (!arguments.dry_run && arguments.data.empty()) throw CLI::RequiredError("--data");
    if (!arguments.dry_run && arguments.out.empty()) throw CLI::RequiredError("--out");
  });
  app.footer([] {
    umbra::RunConfig defaults;
    return "settings and their defaults:\n" + defaults.bind().help();
  });
  return umbra::run_tool(app, argc, argv, [&] { umbra::run(arguments); });
}
