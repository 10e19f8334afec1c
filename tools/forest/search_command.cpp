// forest search: finds the best settings by cross-validation and by out-of-bag predictions.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "models/forest/search.h"
#include "tools/common/stage_line.h"
#include "tools/forest/commands.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

struct SearchArguments {
  ForestLearning learning;
  ForestGrid grid;
  ForestOptions options;
  int folds = 5;
  std::string out, by = "box", score = "both", search = "binned8", bootstrap = "multinomial";
  bool overwrite = false;

  bool cross_validates() const { return score != "oob"; }
  bool out_of_bag() const { return score != "cv"; }
};

Json settings(const SearchScore& score) {
  return {{"trees", score.trees},
          {"max_depth", score.max_depth},
          {"max_features", score.max_features},
          {"min_samples_leaf", score.min_samples_leaf}};
}

Json to_json(const SearchArguments& arguments, const ForestTraining& data,
             const std::vector<SearchScore>& scores, double seconds) {
  std::int64_t training = 0;
  for (const std::uint8_t one : data.training) training += one;
  Json json = {{"format_version", kFormatVersion},
               {"data", arguments.learning.data},
               {"source", data.model.source},
               {"features", data.halos.features},
               {"target", name_of(data.model.target)},
               {"training_galaxies", training},
               {"halos_without_galaxy", data.halos.without_galaxy},
               {"training_boxes", data.model.training_boxes.size()},
               {"split_seed", data.model.split.rule.seed},
               {"search", arguments.search},
               {"bootstrap", arguments.bootstrap},
               {"extra_trees", arguments.options.extra_trees},
               {"seed", arguments.options.seed},
               {"seconds", seconds}};
  if (const SplitRule& rule = data.model.split.rule; rule.folds > 0) {
    json["outer_folds"] = rule.folds;
    json["outer_fold"] = rule.fold;
  }
  if (arguments.cross_validates()) {
    json["folds"] = arguments.folds;
    json["folds_by"] = arguments.by;
    json["best_cv"] = settings(scores[best_of(scores, SearchScorer::kCrossValidation)]);
  }
  if (arguments.out_of_bag()) json["best_oob"] = settings(scores[best_of(scores, SearchScorer::kOutOfBag)]);
  for (const SearchScore& score : scores) {
    Json one = settings(score);
    if (arguments.cross_validates()) {
      one["cv_r2"] = score.cv_r2;
      one["cv_r2_standard_error"] = score.cv_r2_error;
      one["fold_r2"] = score.fold_r2;
    }
    if (arguments.out_of_bag()) one["oob_r2"] = score.oob_r2;
    json["scores"].push_back(one);
  }
  return json;
}

void print_table(const SearchArguments& arguments, const std::vector<SearchScore>& scores) {
  std::printf("%8s %10s %13s %17s", "trees", "max_depth", "max_features", "min_samples_leaf");
  if (arguments.cross_validates()) std::printf(" %20s", "R^2 of folds");
  if (arguments.out_of_bag()) std::printf(" %12s", "R^2 oob");
  std::printf("\n");
  const std::size_t none = scores.size();
  const std::size_t cv = arguments.cross_validates() ? best_of(scores, SearchScorer::kCrossValidation) : none;
  const std::size_t oob = arguments.out_of_bag() ? best_of(scores, SearchScorer::kOutOfBag) : none;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const SearchScore& s = scores[i];
    std::printf("%8lld %10s %13s %17lld", static_cast<long long>(s.trees),
                s.max_depth == 0 ? "none" : std::to_string(s.max_depth).c_str(),
                s.max_features == 0 ? "all" : std::to_string(s.max_features).c_str(),
                static_cast<long long>(s.min_samples_leaf));
    if (arguments.cross_validates())
      std::printf("  %8s +- %7s", score_text(s.cv_r2).c_str(), score_text(s.cv_r2_error).c_str());
    if (arguments.out_of_bag()) std::printf("     %8s", score_text(s.oob_r2).c_str());
    std::printf("%s%s\n", i == cv ? "  best of folds" : "", i == oob ? "  best out of bag" : "");
  }
}

// [row] the fold of its sub-box; empty if no fold holds out whole sub-boxes.
std::vector<int> folds_by_box(const SearchArguments& arguments, const ForestTraining& data) {
  if (arguments.by != "box" || !arguments.cross_validates()) return {};
  try {
    return inner_folds_of_rows(data.halos, data.training, data.model.split, arguments.folds);
  } catch (const Error& error) {
    fail("--folds ", arguments.folds, ": ", error.what());
  }
}

void search(const SearchArguments& arguments) {
  check_writable(arguments.out, inputs_of(arguments.learning), arguments.overwrite);
  const ForestTraining data = read_training(arguments.learning);
  SearchRequest request;
  request.grid = arguments.grid;
  request.base = arguments.options;
  request.base.search = forest_search(arguments.search);
  request.base.bootstrap = forest_bootstrap(arguments.bootstrap);
  request.folds = arguments.cross_validates() ? arguments.folds : 0;
  request.out_of_bag = arguments.out_of_bag();
  const std::vector<int> fold_of = folds_by_box(arguments, data);
  request.fold_of = fold_of;
  StageLine line;
  request.stages = line.report();
  if (!line.on_terminal()) {
    request.progress = [](std::int64_t done, std::int64_t all) {
      std::cout << "forest " << done + 1 << " of " << all << std::endl;
    };
  }
  const auto start = std::chrono::steady_clock::now();
  const ForestTable table = data.halos.table();
  const std::vector<SearchScore> scores = search_forest({table, data.target, {}, data.training}, request);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  write_text_file(arguments.out, to_json(arguments, data, scores, seconds.count()).dump(2) + "\n");
  print_table(arguments, scores);
  std::printf("%zu points of the grid in %.1f s; wrote %s\n", scores.size(), seconds.count(),
              arguments.out.c_str());
}

// Lists are words with commas: the next word may be a setting.
void add_grid_options(CLI::App& command, ForestGrid& grid) {
  constexpr auto kMany = std::int64_t{1} << 40;
  command.add_option("--trees", grid.trees, "numbers of trees")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(std::int64_t{1}, kMostTrees));
  command.add_option("--max-depth", grid.max_depth, "levels of a tree; 0: no limit")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(0, 1 << 20));
  command.add_option("--max-features", grid.max_features, "columns tried at every split; 0: all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(std::int64_t{0}, kMostFeatures));
  command
      .add_option("--min-samples-leaf", grid.min_samples_leaf,
                  "minimum number of distinct galaxies in a leaf")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(std::int64_t{1}, kMany));
}

}  // namespace

void add_search_command(ToolApp& app, RunCommand& run) {
  const auto arguments = std::make_shared<SearchArguments>();
  CLI::App* command = add_command(app, "search", "score a grid of settings on the training galaxies alone");
  add_learning_options(*command, arguments->learning);
  add_grid_options(*command, arguments->grid);
  command->add_option("--score", arguments->score, "R^2 on held-out folds, out of bag, or both")
      ->check(one_of({"cv", "oob", "both"}));
  command->add_option("--folds", arguments->folds, "folds of the cross-validation")
      ->check(CLI::Range(2, 1 << 20));
  command
      ->add_option("--by", arguments->by,
                   "what a fold holds out: whole sub-boxes, the inner folds of train (data.inner_folds), or "
                   "individual halos")
      ->check(one_of({"box", "halo"}));
  command->add_flag("--extra-trees", arguments->options.extra_trees,
                    "one random threshold per column and split");
  command->add_option("--search", arguments->search, "how thresholds are searched for, as for fit")
      ->check(one_of({"binned8", "binned16", "exact"}));
  command->add_option("--bootstrap", arguments->bootstrap, "galaxies a tree sees, as for fit")
      ->check(one_of({"multinomial", "poisson", "none"}));
  command->add_option("--seed", arguments->options.seed, "seed of the trees, and of folds of halos")
      ->check(not_negative);
  command->add_option("--out", arguments->out, "the scores (JSON)")->required();
  add_overwrite(*command, arguments->overwrite);
  command->callback([&run, arguments] { run = in_first_process([arguments] { search(*arguments); }); });
}

}  // namespace umbra
