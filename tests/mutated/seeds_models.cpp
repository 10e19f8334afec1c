// Files of umbra's own making: checkpoints, weights, forests and configurations.
#include <algorithm>

#include "engine/io/safetensors.h"
#include "tests/mutated/seeds.h"
#include "tools/common/experiment.h"
#include "tools/common/forest_file.h"

namespace umbra::mutated {
namespace {

namespace fs = std::filesystem;

RunConfig small_run() {
  RunConfig config;
  config.bind().set({"device=cpu", "model.channels=1"});
  return config;
}

// A run's checkpoints: best.h5 to predict with, last.h5 to continue from.
void make_checkpoints(const fs::path& folder) {
  RunConfig config = small_run();
  Experiment learner(config, config.task->neutral({}), "test");
  CheckpointInfo info;
  info.config = config.bind().dump();
  info.transform = learner.fitted();
  info.step = 12;
  info.optimizer_steps = 12;
  info.best_metric = 3.5;
  info.has_best = true;
  write_checkpoint(folder / "best.h5", info, learner.network().state(), {});
  write_checkpoint(folder / "last.h5", info, learner.network().state(), learner.make_optimizer()->state());
  rewrite_plainly(folder / "best.h5", folder / "plain.h5", false);
}

void read_checkpoint(const fs::path& file, const fs::path&) {
  read_checkpoint_info(file);
  const auto loaded = Experiment::load(file, "cpu");
  if (file.filename() != "last.h5") return;
  Experiment learner(loaded->config(), loaded->fitted(), file.string());
  load_checkpoint(file, learner.network().state(), learner.make_optimizer()->state());
}

void make_weights(const fs::path& folder) {
  const RunConfig config = small_run();
  Experiment learner(config, config.task->neutral({}), "test");
  write_safetensors(folder / "best.safetensors", learner.network().state(),
                    {{"format", "pt"}, {"config", "model.channels = 1"}});
}

void read_weights(const fs::path& file, const fs::path&) {
  const SafeTensors weights = read_safetensors(file);
  const RunConfig config = small_run();
  Experiment learner(config, config.task->neutral({}), "test");
  load_state(learner.network(), weights.tensors, file.string());
}

void make_forests(const fs::path& folder) {
  constexpr std::size_t kRows = 60;
  const Rng rng(4, Purpose::kTest);
  std::vector<float> vpeak(kRows), spin(kRows);
  std::vector<double> target(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    vpeak[i] = static_cast<float>(rng.uniform(2 * i));
    spin[i] = static_cast<float>(rng.uniform(2 * i + 1));
    target[i] = 10 + double{vpeak[i]} - double{spin[i]};
  }
  ForestTable table;
  table.add("vpeak", std::span<const float>(vpeak));
  table.add("spin", std::span<const float>(spin));
  ForestModel model;
  ForestOptions options;
  options.trees = 3;
  options.max_depth = 5;
  model.forest = fit_forest({table, target, {}, {}}, options);
  model.source = "two columns";
  model.boxes = 8;
  model.training_boxes = {0, 2, 7};
  model.fingerprint = {4294967295, 17};
  write_forest(folder / "forest.h5", model);
  rewrite_plainly(folder / "forest.h5", folder / "plain.h5", false);
}

void make_configurations(const fs::path& folder) {
  RunConfig config = small_run();
  config.bind().set({"data.validation_boxes=[3,1,4]"});
  write_file(folder / "config.toml", config.bind().dump());
  write_file(
      folder / "by_hand.toml",
      "device = 'cpu' # literal\n"
      "kernels = \"conv_fprop=reference\"\n"
      "[model]\nname = \"\"\"um_resnet\"\"\"\nchannels = 0x14\n"
      "[data]\nfeatures = [\"vpeak\",\n  \"mvir\", # two\n]\nsubbox_size = +2.5e1\n"
      "validation_boxes = [1, 2.0, 3]\nshifts = false\n"
      "[train]\nlearning_rate = 3e-3\nschedule = \"step\"\nstep_epochs = [10]\nstep_rates = [0.1, 0.001]\n");
}

void read_configuration(const fs::path& file, const fs::path&) {
  RunConfig config;
  config.bind().read_file(file);
  try {
    config.check();  // of settings in any section
  } catch (const Error& error) {
    fail(file.string(), ": ", error.what());
  }
}

}  // namespace

std::vector<Reader> model_readers() {
  return {{"checkpoint", {"plain.h5", "best.h5", "last.h5"}, make_checkpoints, read_checkpoint},
          {"weights", {"best.safetensors"}, make_weights, read_weights},
          {"forest",
           {"plain.h5", "forest.h5"},
           make_forests,
           [](const fs::path& file, const fs::path&) { read_forest(file); }},
          {"configuration", {"config.toml", "by_hand.toml"}, make_configurations, read_configuration}};
}

}  // namespace umbra::mutated
