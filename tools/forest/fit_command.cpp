// forest fit: fits a forest to a catalog and scores it on galaxies that its trees did not see.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>

#include "engine/base/error.h"
#include "engine/base/fingerprint.h"
#include "models/forest/predict.h"
#include "tools/common/json_file.h"
#include "tools/common/processes.h"
#include "tools/common/stage_line.h"
#include "tools/forest/commands.h"
#include "tools/forest/share.h"

namespace umbra {
namespace {

struct FitArguments {
  ForestLearning learning;
  ForestOptions options;
  std::string out, search = "binned8", bootstrap = "multinomial", best_of;
  bool overwrite = false;
};

// The settings that `forest search` found best: of the folds if it cross-validated, otherwise out of bag.
void take_best(const std::string& file, ForestOptions& options) {
  options = from_json_file(file, "the result of forest search", [&](const nlohmann::ordered_json& json) {
    const auto& best =
        json.at(json.contains("best_oob") && !json.contains("best_cv") ? "best_oob" : "best_cv");
    ForestOptions found = options;
    found.trees = best.at("trees");
    found.max_depth = best.at("max_depth");
    found.max_features = best.at("max_features");
    found.min_samples_leaf = best.at("min_samples_leaf");
    return found;
  });
}

// Prints R^2 of the target, and the scatter of log10 M* in dex; for a linear target, of log10 of the mean.
void print_score(const char* name, const std::vector<double>& target, const std::vector<double>& log_mass,
                 const std::vector<double>& prediction, ForestTarget kind) {
  const std::vector<double> predicted = as_log_mass(prediction, kind);
  double squares = 0, rows = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    if (std::isnan(predicted[i])) continue;
    squares += (predicted[i] - log_mass[i]) * (predicted[i] - log_mass[i]);
    ++rows;
  }
  std::printf("%-12s %10.0f %10s %12s dex\n", name, rows, score_text(r_squared(target, prediction)).c_str(),
              score_text(std::sqrt(squares / rows)).c_str());
}

void print_left_out(const ForestTraining& data) {
  std::vector<std::uint8_t> left_out(data.training.size());
  for (std::size_t i = 0; i < left_out.size(); ++i) left_out[i] = data.training[i] == 0 ? 1 : 0;
  const ForestHalos halos = chosen_rows(data.halos, left_out);
  if (halos.rows() == 0) {
    std::cout << "no galaxy was left out of training\n";
    return;
  }
  print_score("left out", halos.target(data.model.target), halos.log_mass,
              ForestPredictor(data.model.forest).predict(halos.table()), data.model.target);
}

void print_out_of_bag(const ForestTraining& data, const OutOfBag& out_of_bag) {
  if (data.model.forest.options.bootstrap == ForestOptions::Bootstrap::kNone) {
    std::cout << "every tree saw all training galaxies, so there is no out-of-bag score\n";
    return;
  }
  std::int64_t seen_by_all = 0;
  for (std::size_t i = 0; i < data.training.size(); ++i)
    seen_by_all += data.training[i] != 0 && out_of_bag.trees[i] == 0 ? 1 : 0;
  print_score("out of bag", data.target, data.halos.log_mass, out_of_bag.prediction, data.model.target);
  if (seen_by_all > 0)
    std::cout << "warning: " << seen_by_all
              << " galaxies were in every tree and have no out-of-bag prediction; use more trees\n";
}

void describe(const ForestTraining& data) {
  std::int64_t training = 0;
  for (const std::uint8_t one : data.training) training += one;
  std::cout << data.halos.rows() << " galaxies with vpeak >= " << data.model.min_vpeak << " km/s in "
            << data.halos.boxes << " sub-boxes; trained on " << training << " in "
            << data.model.training_boxes.size() << " of them\ncolumns:";
  for (const std::string& feature : data.halos.features) std::cout << ' ' << feature;
  std::cout << std::endl;
}

// Writes the forest and prints its scores.
void report(const FitArguments& arguments, const ForestTraining& data, const OutOfBagRequest& out_of_bag,
            double seconds) {
  write_forest(arguments.out, data.model);
  std::size_t nodes = 0;
  for (const ForestTree& tree : data.model.forest.trees) nodes += tree.size();
  std::printf("%zu trees of %zu nodes together, fitted in %.2f s\n", data.model.forest.trees.size(), nodes,
              seconds);
  std::printf("%-12s %10s %10s %16s\n", "", "galaxies",
              data.model.target == ForestTarget::kLog10 ? "R^2" : "R^2 of M*", "RMSE of log10 M*");
  print_out_of_bag(data, out_of_bag.results.empty() ? OutOfBag{} : out_of_bag.results.front());
  print_left_out(data);
  std::cout << "wrote " << arguments.out << '\n';
}

// Throws Error unless all processes have read the same galaxies: another host may have another file of this name.
void compare_galaxies(const ForestTraining& data, const std::string& file, Communicator& world) {
  Fingerprint read;
  for (const std::vector<float>& column : data.halos.columns) read.add(column);
  read.add(data.target);
  world.compare(read.value(), file + ": the galaxies");
}

void fit(const FitArguments& arguments, Communicator& world) {
  std::vector<InputFile> inputs = inputs_of(arguments.learning);
  inputs.push_back({"--best-of", arguments.best_of});
  first_process(world, [&] { check_writable(arguments.out, inputs, arguments.overwrite); });
  ForestOptions options = arguments.options;
  if (!arguments.best_of.empty()) take_best(arguments.best_of, options);
  ForestTraining data;
  take_time(world, [&] { data = read_training(arguments.learning); });
  compare_galaxies(data, arguments.learning.data, world);
  const auto columns = static_cast<std::int64_t>(data.halos.features.size());
  require(options.max_features <= columns, "--max-features ", options.max_features, ": there are only ",
          columns, " columns");
  describe(data);
  options.search = forest_search(arguments.search);
  options.bootstrap = forest_bootstrap(arguments.bootstrap);
  StageLine line;
  const auto start = std::chrono::steady_clock::now();
  const ForestTable table = data.halos.table();
  OutOfBagRequest out_of_bag;
  if (options.bootstrap == ForestOptions::Bootstrap::kNone) out_of_bag.depths.clear();
  constexpr double kDay = 86400;
  world.set_timeout(kDay);  // the processes meet only after they have grown their trees
  const ForestShare share = share_of(world, world.rank(), options.trees);
  data.model.forest = fit_forest({table, data.target, {}, data.training}, options, &out_of_bag, line.report(),
                                 world.size() > 1 ? &share : nullptr);
  collect_trees(world, data.model.forest);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  first_process(world, [&] { report(arguments, data, out_of_bag, seconds.count()); });
}

void add_forest_options(CLI::App& command, FitArguments& arguments) {
  ForestOptions& o = arguments.options;
  constexpr auto kMany = std::int64_t{1} << 40;
  CLI::Option* best =
      command.add_option("--best-of", arguments.best_of, "the best settings that forest search wrote (JSON)");
  command.add_option("--trees", o.trees, "number of trees")
      ->check(CLI::Range(std::int64_t{1}, kMostTrees))
      ->excludes(best);
  command.add_option("--max-depth", o.max_depth, "levels of a tree; 0: no limit")
      ->check(CLI::Range(0, 1 << 20))
      ->excludes(best);
  command
      .add_option("--min-samples-leaf", o.min_samples_leaf, "minimum number of distinct galaxies in a leaf")
      ->check(CLI::Range(std::int64_t{1}, kMany))
      ->excludes(best);
  command.add_option("--max-features", o.max_features, "columns tried at every split; 0: all")
      ->check(CLI::Range(std::int64_t{0}, kMostFeatures))
      ->excludes(best);
  command
      .add_option("--max-leaf-nodes", o.max_leaf_nodes,
                  "maximum number of leaves of a tree, best splits first; 0: no limit")
      ->check(CLI::Range(std::int64_t{0}, kMany))
      ->check([](const std::string& text) {
        return std::string(text == "1" ? "a tree has 2 leaves or more; 0: no limit" : "");
      });
  command.add_flag("--extra-trees", o.extra_trees, "one random threshold per column and split");
  command
      .add_option("--search", arguments.search,
                  "thresholds among 255 or 65,535 bins per column, or among all values")
      ->check(one_of({"binned8", "binned16", "exact"}));
  command
      .add_option(
          "--bootstrap", arguments.bootstrap,
          "galaxies a tree sees: as many as there are, drawn with replacement; each a Poisson(1) number "
          "of times; or each once")
      ->check(one_of({"multinomial", "poisson", "none"}));
  command.add_option("--seed", o.seed, "seed of the trees")->check(not_negative);
}

}  // namespace

void add_fit_command(ToolApp& app, RunCommand& run) {
  const auto arguments = std::make_shared<FitArguments>();
  CLI::App* command = add_command(app, "fit", "fit a forest: stellar masses from the properties of halos");
  add_learning_options(*command, arguments->learning);
  add_forest_options(*command, *arguments);
  command->add_option("--out", arguments->out, "the model to write (HDF5)")->required();
  add_overwrite(*command, arguments->overwrite);
  command->callback(
      [&run, arguments] { run = [arguments](Communicator& world) { fit(*arguments, world); }; });
}

}  // namespace umbra
