// train: learns the stellar mass function of sub-boxes from their halos. See --help and the README.
#include <atomic>
#include <csignal>
#include <iostream>

#include "engine/io/atomic_file.h"
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
  std::string data, out, config, weights;
  std::vector<std::string> settings;
  bool resume = false, overfit = false, dry_run = false, profile = false;
};

// A signal asks for a stop after the step at hand; a second one is not waited for.
std::atomic<int> stop_signal{0};
void on_signal(int signal) {
  stop_signal = signal;
  std::signal(signal, SIG_DFL);
}

RunConfig resolve(const Arguments& arguments) {
  RunConfig config;
  Config binding = config.bind();
  if (arguments.resume) {
    const fs::path last = fs::path(arguments.out) / "last.h5";
    require(fs::exists(last), last.string(), ": no checkpoint to resume from");
    require(arguments.config.empty(),
            "--resume continues with the configuration of the run; --config cannot change it");
    binding.read_text(read_checkpoint_info(last).config, last.string() + ", attribute config");
  }
  if (!arguments.config.empty()) binding.read_file(arguments.config);
  for (const std::string& setting : arguments.settings) binding.set(setting);
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
  return {batch, batch};
}

void run(const Arguments& arguments) {
  RunConfig config = resolve(arguments);
  if (arguments.dry_run) {
    std::cout << dry_run(config);
    return;
  }
  require(!arguments.data.empty() && !arguments.out.empty(), "--data and --out are needed");
  const fs::path out = arguments.out;
  require(arguments.resume || !fs::exists(out / "last.h5"), out.string(),
          ": this folder already holds a run; continue it with --resume or choose another folder");
  CatalogReport report;
  const Catalog catalog = read_catalog(arguments.data, &report);
  if (report.wrapped > 0) std::cout << report.wrapped << " positions lay outside the box and were wrapped\n";
  BoxSet boxes = make_boxes(catalog, config.box_options());
  require(!boxes.smf.empty(), arguments.data,
          ": the catalog has no column stellar_mass, so there are no labels to learn from");
  Split split = config.split(boxes.count);
  if (arguments.overfit) split = one_batch(split, config);

  CheckpointInfo info;
  if (arguments.resume) info = read_checkpoint_info(out / "last.h5");
  const Transform transform = arguments.resume ? from_map(info.transform, config, (out / "last.h5").string())
                                               : fit_transform(boxes, split.train, config);
  scale_inputs(boxes, transform);
  Experiment experiment(config, transform);
  const std::unique_ptr<Optimizer> optimizer = experiment.make_optimizer();
  if (arguments.resume) {
    require(info.transform["boxes"] == std::vector<double>{static_cast<double>(boxes.count)}, arguments.data,
            ": ", boxes.count, " sub-boxes; this is not the catalog that the run in ", out.string(),
            " was trained on");
    load_checkpoint(out / "last.h5", experiment.network().state(), optimizer->state());
    optimizer->set_steps(info.optimizer_steps);
  } else {
    if (!arguments.weights.empty()) {
      load_state(experiment.network(), read_safetensors(arguments.weights).tensors, arguments.weights);
    }
    info.transform = to_map(transform);
    info.transform["boxes"] = {static_cast<double>(boxes.count)};
  }
  const BoxDataset training_data(boxes, split.train, {config.symmetries, config.shifts});
  const BoxDataset validation_data(boxes, split.validation, {});
  const auto seed = static_cast<std::uint64_t>(config.seed);
  const Loader training(training_data,
                        {config.batch, seed, true, config.drop_last, config.symmetries || config.shifts});
  const Loader validation(validation_data, {config.batch, seed, false, false, false});

  // Everything that can be wrong with the input has been looked at: only now something is written.
  std::error_code status;
  fs::create_directories(out, status);
  require(!status && fs::is_directory(out), out.string(), ": the folder cannot be made");
  info.config = config.bind().dump();
  write_text_file(out / "config.toml", info.config);

  TrainerOptions options{config.epochs, seed, config.clip, config.nan_guard, nullptr};
  options.learning_rate = [&](std::int64_t step) { return config.rate(step, training.batches_per_epoch()); };
  const std::int64_t first = info.step;
  Progress progress(stdout, config.epochs, training.batches_per_epoch(), first, "chi2", "boxes");
  MetricsLog metrics(out / "metrics.csv", first);
  Checkpointer checkpointer(out, experiment.network(), *optimizer, info, config.checkpoint_steps,
                            [] { return stop_signal != 0; });
  Profile profile;
  if (arguments.profile) profile.attach(experiment.context());
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);

  std::printf("%lld sub-boxes: %zu to train on, %zu to validate on; %s on %s\n",
              static_cast<long long>(boxes.count), split.train.size(), split.validation.size(),
              config.model.c_str(), name_of(experiment.context().device()).c_str());
  Trainer trainer(experiment.context(), experiment.network(), *optimizer, experiment.task(), options);
  const std::int64_t done = trainer.run(training, &validation, first, {&progress, &metrics, &checkpointer});
  if (done < config.epochs * training.batches_per_epoch()) {
    fail("stopped by a signal after step ", done, "; continue with: train --data ", arguments.data, " --out ",
         arguments.out, " --resume");
  }
  Experiment best(config, transform);
  load_checkpoint(out / "best.h5", best.network().state(), {});
  write_safetensors(out / "best.safetensors", best.network().state(),
                    {{"format", "pt"}, {"config", info.config}});
  std::printf(
      "best validation chi2 %.4g; wrote %s (config.toml, metrics.csv, last.h5, best.h5, best.safetensors)\n",
      checkpointer.info().best_metric, out.string().c_str());
  if (arguments.profile) std::cout << profile.table();
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Arguments arguments;
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
  app.footer([] {
    umbra::RunConfig defaults;
    return "settings and their defaults:\n" + defaults.bind().help();
  });
  return umbra::run_tool(app, argc, argv, [&] { umbra::run(arguments); });
}
