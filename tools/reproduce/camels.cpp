#include "tools/reproduce/camels.h"

#include <iostream>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "tools/common/ensemble.h"
#include "tools/common/json_file.h"
#include "tools/reproduce/camels_forest.h"
#include "tools/reproduce/camels_result.h"
#include "tools/reproduce/camels_table.h"
#include "tools/reproduce/catalog_size.h"
#include "tools/reproduce/choice.h"
#include "tools/reproduce/runner.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// The table of parameters that is next to the boxes.
std::string parameters_of(const CamelsTableOptions& options) {
  if (!options.parameters.empty()) return options.parameters;
  require(fs::is_directory(options.folder), "--camels ", options.folder, ": there is no such folder");
  Words found;
  for (const auto& entry : fs::directory_iterator(options.folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("Cosmo") && name.ends_with(".txt")) found.push_back(entry.path());
  }
  require(found.size() == 1, "--camels ", options.folder, ": ", found.size(),
          " files are called Cosmo*.txt, but one table of the boxes' parameters is expected; name it with "
          "--parameters");
  return found.front();
}

// Results belong together that are of all rows, or of the same few: "-default-fc1".
std::string suffix_of(const CamelsTableOptions& options) {
  std::string suffix;
  if (chosen_camels_rows(options.rows).size() < camels_rows().size())
    for (const std::string& row : options.rows) suffix += "-" + row;
  return suffix;
}

std::string evaluations(const CamelsTableOptions& options) {
  return "evaluations" + suffix_of(options);
}

// The boxes in a folder, one folder each, in units of the published set, for which times have been measured.
double size_of_set(const std::string& folder) {
  constexpr double kPublished = 896;
  std::error_code ignored;  // import explains what is wrong with a folder
  std::int64_t boxes = 0;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) boxes += entry.is_directory() ? 1 : 0;
  return static_cast<double>(boxes) / kPublished;
}

class Camels {
 public:
  Camels(const CamelsTableOptions& options, const Places& places, const CamelsChoices* choices)
      : options_(options),
        places_(places),
        choices_(choices),
        rows_(chosen_camels_rows(options.rows)),
        data_(places.in_out("camels.h5")) {}

  std::vector<Part> parts() {
    add_import();
    for (const CamelsRow& row : rows_)
      if (row.choices[0] != '\0')
        for (std::int64_t fold = 0; fold < options_.folds; ++fold) add_choice(row, fold);
    if (choices_ == nullptr) return parts_;
    for (const CamelsRow& row : rows_)
      for (std::int64_t fold = 0; fold < options_.folds; ++fold) add_training(row, fold);
    for (const Part& part : camels_forest_parts(options_, places_, data_)) parts_.push_back(part);
    for (std::int64_t fold = 0; fold < options_.folds; ++fold) add_evaluation(fold);
    add_pool();
    return parts_;
  }

 private:
  void add_import() {
    const std::string parameters = parameters_of(options_);
    Part part{"import", "the boxes as a catalog"};
    part.command = {
        places_.tool("import"), "camels", options_.folder, "--parameters", parameters, "--out", data_};
    part.inputs = {parameters};
    part.outputs = {data_};
    size_ = size_of_set(options_.folder);
    part.seconds = kShortest + size_;
    parts_.push_back(part);
  }

  // A training of a row on a fold.
  Part training(const CamelsRow& row, std::int64_t fold, const std::string& out, const Words& more) const {
    Part part{"", ""};
    const std::string config = places_.in_source(concat("models/configs/", row.config));
    part.command = {places_.tool("train"), "--data", data_, "--out", out, "--config", config};
    const auto add = [&](const Words& words) {
      part.command.insert(part.command.end(), words.begin(), words.end());
    };
    add(words_between(row.settings, ' '));
    add(more);
    if (options_.epochs > 0) add({concat("train.epochs=", options_.epochs)});
    add({concat("data.folds=", options_.folds), concat("data.fold=", fold)});
    part.inputs = {data_, config};
    part.folder = out;
    part.resume = {places_.tool("train"), "--data", data_, "--out", out, "--resume"};
    return part;
  }

  void add_choice(const CamelsRow& row, std::int64_t fold) {
    const std::string name = concat("choose-", row.name, "-fold-", fold);
    Part chosen{name, concat(row.name, ", fold ", fold, ": the choice of settings")};
    chosen.outputs = {places_.in_out(concat("choices/", row.name, "/fold-", fold, ".json"))};
    chosen.command = {places_.tool("evaluate"), "--data",  data_,  "--out",
                      chosen.outputs.front(),   "--epoch", "last", "--run"};
    chosen.inputs = {data_};
    chosen.seconds = kShortest + 2 * size_;
    const Words choices = words_between(row.choices, '|');
    for (std::size_t c = 0; c < choices.size(); ++c) {
      const std::string out = places_.in_out(concat("choices/", row.name, "/fold-", fold, "-choice-", c));
      Words more = words_between(choices[c], ' ');
      more.push_back(concat("data.inner_folds=", kInnerFolds));
      Part part = training(row, fold, out, more);
      part.name = concat(name, "-", c);
      part.title = concat(row.name, ", fold ", fold, ", for the choice of settings: ", choices[c]);
      part.outputs = {out + "/last.h5", out + "/best.safetensors"};
      part.resumes_from = out + "/last.h5";
      part.seconds = kShortest + 0.8 * row.seconds * size_;
      chosen.command.push_back(out);
      chosen.inputs.push_back(out + "/last.h5");
      parts_.push_back(part);
    }
    parts_.push_back(chosen);
  }

  void add_training(const CamelsRow& row, std::int64_t fold) {
    const std::string out = camels_run(places_, row, fold);
    const std::int64_t seeds = row.seeds ? options_.seeds : 1;
    Words more;
    if (const auto chosen = choices_->find(row.name); chosen != choices_->end())
      more = words_between(chosen->second[static_cast<std::size_t>(fold)], ' ');
    if (seeds > 1) more.push_back(concat("train.seeds=", seeds));
    Part part = training(row, fold, out, more);
    part.name = concat(row.name, "-fold-", fold);
    part.title = concat(row.name, ", fold ", fold, " of ", options_.folds);
    for (std::int64_t seed = 1; seed <= seeds; ++seed) {
      const std::string member = seeds > 1 ? member_folder(out, seed).string() : out;
      part.outputs.push_back(member + "/last.h5");
      part.outputs.push_back(member + "/best.safetensors");
      part.resumes_from = member + "/last.h5";
    }
    part.seconds = (kShortest + row.seconds * size_) * static_cast<double>(seeds);
    parts_.push_back(part);
  }

  void add_evaluation(std::int64_t fold) {
    const std::string name = evaluations(options_);
    Part part{concat(name, "-fold-", fold), concat("chi^2 on fold ", fold)};
    part.outputs = {places_.in_out(concat(name, "/fold-", fold, ".json"))};
    part.command = {places_.tool("evaluate"), "--data",  data_,  "--out",
                    part.outputs.front(),     "--epoch", "last", "--run"};
    part.inputs = {data_};
    for (const CamelsRow& row : rows_) {
      const std::string run = camels_run(places_, row, fold);
      part.command.push_back(run);
      for (const Part& made : parts_)
        for (const std::string& file : made.outputs)
          if (file.starts_with(run + "/") && file.ends_with("/last.h5")) part.inputs.push_back(file);
    }
    part.command.emplace_back("--forest");
    for (const std::string& forest : camels_forests(options_, places_, fold)) {
      part.command.push_back(forest);
      part.inputs.push_back(forest);
    }
    part.seconds = kShortest + static_cast<double>(rows_.size()) * size_;
    part.derived = true;
    folds_.push_back(part.outputs.front());
    parts_.push_back(part);
  }

  void add_pool() {
    Part part{evaluations(options_) + "-pooled", "chi^2 over all boxes"};
    part.outputs = {camels_pooled(options_, places_)};
    part.command = {places_.tool("evaluate"), "--out", part.outputs.front(), "--pool"};
    part.command.insert(part.command.end(), folds_.begin(), folds_.end());
    part.inputs = folds_;
    part.seconds = kShortest;
    part.derived = true;
    parts_.push_back(part);
  }

  const CamelsTableOptions& options_;
  const Places& places_;
  const CamelsChoices* choices_;
  std::vector<CamelsRow> rows_;
  std::string data_;
  double size_ = 1;  // of the set, in units of the published one
  std::vector<Part> parts_;
  Words folds_;  // results of evaluate
};

}  // namespace

std::string camels_run(const Places& places, const CamelsRow& row, std::int64_t fold) {
  return places.in_out(concat("runs/", row.name, "/fold-", fold));
}

std::string camels_file(const CamelsTableOptions& options, const Places& places) {
  return places.in_out("camels" + suffix_of(options));
}

std::string camels_pooled(const CamelsTableOptions& options, const Places& places) {
  return places.in_out(evaluations(options) + "/pooled.json");
}

std::vector<Part> camels_parts(const CamelsTableOptions& options, const Places& places,
                               const CamelsChoices* choices) {
  return Camels(options, places, choices).parts();
}

CamelsChoices camels_choices(const CamelsTableOptions& options, const Places& places, bool guesses) {
  CamelsChoices chosen;
  for (const CamelsRow& row : chosen_camels_rows(options.rows)) {
    const Words choices = words_between(row.choices, '|');
    for (std::int64_t fold = 0; fold < options.folds && !choices.empty(); ++fold) {
      const std::string file = places.in_out(concat("choices/", row.name, "/fold-", fold, ".json"));
      if (guesses && !fs::exists(file)) {
        chosen[row.name].push_back(choices.front());
        continue;
      }
      chosen[row.name].push_back(best_choice(choices, chi2_of_choices(file, choices.size(), row.name)));
    }
  }
  return chosen;
}

void reproduce_camels(const CamelsTableOptions& options, const Places& places, bool overwrite, bool dry_run) {
  const CamelsChoices guessed = camels_choices(options, places, true);
  const Runner all(places, camels_parts(options, places, &guessed), true);
  if (dry_run) {
    std::cout << all.list();
    return;
  }
  {
    Runner first(places, camels_parts(options, places, nullptr), overwrite);
    first.run(all.seconds_left() - first.seconds_left());
  }  // which locks the folder
  const CamelsChoices choices = camels_choices(options, places);
  const std::vector<Part> parts = camels_parts(options, places, &choices);
  Runner(places, parts, overwrite).run();
  const CamelsTables tables{camels_result(options, places, choices, parts), {}};
  const std::string name = camels_file(options, places);
  write_text_file(name + ".json",
                  tables.result.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  const std::string table = camels_table(tables, "all");
  write_text_file(name + ".md", table);
  std::cout << table;
}

}  // namespace umbra
