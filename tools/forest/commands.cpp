#include "tools/forest/commands.h"

#include <cmath>
#include <cstdio>
#include <iostream>
#include <set>

#include "engine/base/error.h"
#include "engine/io/config.h"
#include "models/tasks/smf/smf_task.h"
#include "tools/common/experiment.h"
#include "tools/common/processes.h"
#include "tools/common/reading_line.h"

namespace umbra {

RunCommand in_first_process(std::function<void()> command) {
  return [run = std::move(command)](Communicator& world) { first_process(world, run); };
}

CLI::App* add_command(ToolApp& app, const std::string& name, const std::string& what) {
  CLI::App* command = app.add_subcommand(name, what);
  command->option_defaults()->always_capture_default();
  return command;
}

std::string not_negative(const std::string& text) {
  return text.starts_with('-') ? "a whole number from 0 is expected, not " + text : "";
}

void add_learning_options(CLI::App& command, ForestLearning& learning) {
  command.add_option("--data", learning.data, "catalog (HDF5) with stellar masses")->required();
  command
      .add_option(
          "--features", learning.features,
          "columns to learn from, separated by commas; default: vpeak, vacc, mpeak, macc, mvir, spin, "
          "halfmass_scale and is_satellite, as far as the catalog has them")
      ->delimiter(',')
      ->allow_extra_args(false);  // the next word may be a setting
  command.add_option("--target", learning.target, "what to learn: log10 of the stellar mass, or the mass")
      ->check(one_of({"log10", "linear"}));
  command.add_option("--min-vpeak", learning.min_vpeak, "halos below this Vpeak are left out, km/s");
  CLI::Option* run = command.add_option(
      "--run", learning.run,
      "a run of train: the sub-boxes on which it validates are left out of training, those of its fold too");
  command
      .add_option_function<std::string>(
          "--subbox-size",
          [&learning](const std::string& text) {
            double size = 0;
            if (text == "auto") return learning.subbox_size.number.reset();
            if (!CLI::detail::lexical_cast(text, size)) throw CLI::ConversionError(text, "--subbox-size");
            learning.subbox_size.number = size;
          },
          "side of a sub-box, Mpc/h; auto: 25, or if 25 does not divide the box, the divisor nearest to 25 that gives "
          "at least 16 sub-boxes")
      ->type_name("FLOAT")
      ->default_str("auto")
      ->excludes(run);
  command
      .add_option("--split", learning.split,
                  "what is left out of training: whole sub-boxes, the same ones as train leaves out for this "
                  "fraction and seed, or individual halos")
      ->check(one_of({"boxes", "halos"}))
      ->excludes(run);
  CLI::Option* fraction =
      command.add_option("--train-fraction", learning.train_fraction, "fraction used for training; 1: all")
          ->excludes(run);
  command.add_option("--split-seed", learning.split_seed, "seed of the split")
      ->check(not_negative)
      ->excludes(run);
  command
      .add_option(
          "settings", learning.settings,
          "data.folds=N data.fold=K: the sub-boxes of fold K, from 0, of the N of a cross-validation are left "
          "out of training, as by train with these settings")
      ->excludes(run)
      ->excludes(fraction);
}

std::vector<InputFile> inputs_of(const ForestLearning& learning) {
  std::vector<InputFile> inputs{{"--data", learning.data}};
  return learning.run.empty() ? inputs : inputs_of(std::filesystem::path(learning.run), inputs);
}

namespace {

// Which halos to train on, and the size of sub-boxes: those of --run, if there is one.
ForestSplit split_of(const ForestLearning& learning, Auto<double>& subbox_size) {
  subbox_size = learning.subbox_size;
  if (learning.run.empty()) {
    ForestSplit split{forest_split(learning.split), {learning.train_fraction, learning.split_seed, 0, 0, {}}};
    for (const std::string& word : learning.settings)
      require(
          word.find('=') != std::string::npos, "\"", word,
          "\": a setting is written key=value, and a list is one word with commas, as in --features vpeak,mvir");
    constexpr double kMany = 1e9;
    Config({{"data.folds", "parts of a cross-validation", &split.rule.folds, 0, kMany},
            {"data.fold", "the part that is left out", &split.rule.fold, 0, kMany}})
        .set(learning.settings);
    check_rule(split.rule);
    require(split.rule.folds == 0 || split.by == ForestSplit::By::kBoxes, "data.folds=", split.rule.folds,
            ": the folds are of sub-boxes, not of halos; expected --split boxes");
    return split;
  }
  const RunConfig config = config_of_run(learning.run);
  const SmfSettings& settings = smf_settings(*config.task);
  subbox_size = settings.subbox_size;
  return {ForestSplit::By::kBoxes, settings.split_rule()};
}

}  // namespace

ForestTraining read_training(const ForestLearning& learning) {
  CatalogReport report;
  const Catalog catalog = read_large_catalog(learning.data, &report);
  for (const std::string& remark : report.remarks()) std::cout << remark << '\n';
  require(catalog.has("stellar_mass"), learning.data,
          ": the catalog has no column stellar_mass, so there is nothing to learn");
  ForestTraining out;
  ForestModel& model = out.model;
  model.target = forest_target(learning.target);
  model.min_vpeak = learning.min_vpeak;
  Auto<double> subbox_size;
  model.split = split_of(learning, subbox_size);
  const SubboxSize chosen = choose_subbox_size(catalog, subbox_size, learning.data, "--subbox-size ");
  if (!chosen.note.empty()) std::cout << chosen.note << '\n';
  model.subbox_size = chosen.size;
  try {
    out.halos = forest_halos(catalog, learning.features, learning.min_vpeak, model.subbox_size);
    out.training = training_rows(out.halos, model.split);
  } catch (const Error& error) {
    fail(learning.data, ": ", error.what());
  }
  if (out.halos.without_galaxy > 0)
    std::cout
        << out.halos.without_galaxy << " halos with vpeak >= " << learning.min_vpeak
        << " km/s have no galaxy (stellar_mass 0) and are left out: they are no observation of a mass\n";
  out.target = out.halos.target(model.target);
  model.source = catalog.source;
  model.boxes = out.halos.boxes;
  std::set<std::int64_t> boxes;
  for (std::size_t i = 0; i < out.training.size(); ++i)
    if (out.training[i] != 0) boxes.insert(out.halos.box[i]);
  model.training_boxes.assign(boxes.begin(), boxes.end());
  model.fingerprint = forest_fingerprint(out.halos, out.training);
  return out;
}

std::string score_text(double score) {
  if (std::isnan(score)) return "undefined";
  char text[64];
  std::snprintf(text, sizeof text, "%.5f", score);
  return text;
}

}  // namespace umbra
