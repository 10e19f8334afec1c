#include "tools/reproduce/paper.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>

#include "engine/base/error.h"
#include "tools/reproduce/catalog_size.h"
#include "tools/reproduce/choice.h"
#include "tools/reproduce/paper_figures.h"
#include "tools/reproduce/paper_rows.h"
#include "tools/reproduce/report.h"
#include "tools/reproduce/runner.h"

namespace umbra {
namespace {

std::string listed(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += concat(text.empty() ? "" : ",", number);
  return text;
}

// "train.learning_rate=0.001" as a title has it: "learning rate 0.001".
std::string said(const std::string& settings) {
  std::string text;
  for (const std::string& setting : words_between(settings, ' ')) {
    std::string words = setting.substr(setting.find('.') + 1);
    std::replace(words.begin(), words.end(), '_', ' ');
    std::replace(words.begin(), words.end(), '=', ' ');
    text += (text.empty() ? "" : ", ") + words;
  }
  return text;
}

const char* forest_name(const std::string& target) {
  return target == "log10" ? "log10 M*" : "M*";
}

class Planner {
 public:
  Planner(const PaperOptions& options, const Places& places, const PaperChosen* chosen)
      : options_(options), places_(places), chosen_(chosen), rows_(chosen_paper_rows(options.rows)) {}

  PaperPlan plan() {
    plan_.data = options_.data;
    plan_.evaluation = places_.in_out("evaluation.json");
    plan_.table = places_.in_out("table.json");
    plan_.fewest_trees = *std::min_element(options_.trees.begin(), options_.trees.end());
    if (plan_.data.empty()) add_mock();
    plan_.best_epochs = places_.in_out("best_epochs.json");
    size_ = plan_.data == options_.data ? size_of_catalog(plan_.data) : CatalogSize{};
    for (const PaperRow& row : rows_)
      if (*row.choices != '\0') add_choice(row);
    if (chosen_ == nullptr) return plan_;
    for (const PaperRow& row : rows_) {
      for (std::size_t i = 0; i < (row.of_each_channels ? options_.channels.size() : 1); ++i)
        add_training(row, row.of_each_channels ? options_.channels[i] : 0);
    }
    for (const char* target : {"linear", "log10"}) {
      add_search(target);
      for (std::int64_t seed = 1; seed <= options_.seeds; ++seed) add_forest(target, seed);
    }
    add_evaluations();
    add_figures(plan_, places_, options_.figures);
    return plan_;
  }

 private:
  void add_mock() {
    plan_.data = places_.in_out("universe.h5");
    Part part{"mock", "a mock universe of 250 Mpc/h"};
    part.command = {places_.tool("mock"), "--out", plan_.data};
    part.outputs = {plan_.data};
    part.seconds = 2;
    plan_.parts.push_back(part);
  }

  // The settings of a row besides those of its configuration. The paper lowers the rate after two thirds.
  std::vector<std::string> settings_of(const PaperRow& row, std::int64_t channels) const {
    std::vector<std::string> words = words_between(row.settings, ' ');
    if (channels > 0) words.push_back(concat("model.channels=", channels));
    if (options_.epochs > 0) words.push_back(concat("train.epochs=", options_.epochs));
    if (options_.epochs > 0 && row.is_of_paper())
      words.push_back(concat("train.step_epochs=[", std::max<std::int64_t>(1, 2 * options_.epochs / 3), "]"));
    return words;
  }

  // Of one seed.
  double seconds_of(const PaperRow& row, std::int64_t channels) const {
    const auto epochs = static_cast<double>(options_.epochs > 0 ? options_.epochs : row.epochs);
    // 12, 88 and 280 ms a step at C = 20, 100 and 200 (docs/benchmarks.md).
    const double wider = std::pow(static_cast<double>(channels > 0 ? channels : 20) / 20, 1.4);
    return kShortest + (row.each_epoch + row.seconds * size_.sub_boxes) * wider * epochs;
  }

  // A training into the folder `out`, with `more` settings.
  Part training(const PaperRow& row, std::int64_t channels, const std::string& out,
                const std::vector<std::string>& more) const {
    Part part{"", ""};
    part.command = {places_.tool("train"), "--data", plan_.data, "--out", out};
    part.inputs = {plan_.data};
    if (*row.config != '\0') {
      part.inputs.push_back(places_.in_source(concat("models/configs/", row.config)));
      part.command.insert(part.command.end(), {"--config", part.inputs.back()});
    }
    for (const std::vector<std::string>& settings : {settings_of(row, channels), more})
      part.command.insert(part.command.end(), settings.begin(), settings.end());
    part.folder = out;
    part.resume = {places_.tool("train"), "--data", plan_.data, "--out", out, "--resume"};
    return part;
  }

  // One network for each choice, trained on four fifths of the training boxes, and what evaluate says of the rest.
  void add_choice(const PaperRow& row) {
    PaperChoice choice{row.name, words_between(row.choices, '|'),
                       places_.in_out(concat("choices/", row.name, ".json"))};
    Part scores{concat("choose-", row.name), concat(row.network, ": the choice of settings")};
    scores.command = {
        places_.tool("evaluate"), "--data", plan_.data, "--out", choice.file, "--epoch", "last", "--run"};
    scores.inputs = {plan_.data};
    scores.outputs = {choice.file};
    for (std::size_t c = 0; c < choice.settings.size(); ++c) {
      const std::string out = places_.in_out(concat("choices/", row.name, "-", c));
      std::vector<std::string> more = words_between(choice.settings[c], ' ');
      more.push_back(concat("data.inner_folds=", kInnerFolds));
      Part part = training(row, 0, out, more);
      part.name = concat("choose-", row.name, "-", c);
      part.title = concat(row.network, ", for the choice of settings: ", choice.settings[c]);
      part.outputs = {out + "/best.h5", out + "/last.h5"};
      part.resumes_from = part.outputs.back();
      part.seconds = 0.8 * seconds_of(row, 0);
      scores.command.push_back(out);
      scores.inputs.push_back(part.outputs.back());
      plan_.parts.push_back(part);
    }
    scores.seconds = kShortest + 3 * size_.sub_boxes;
    plan_.parts.push_back(scores);
    plan_.choices.push_back(choice);
  }

  void add_training(const PaperRow& row, std::int64_t channels) {
    const std::string name = channels > 0 ? concat(row.name, "-", channels) : row.name;
    const std::string out = places_.in_out("runs/" + name);
    const std::string width = channels > 0 ? concat(" C=", channels) : "";
    std::vector<std::string> more;
    std::string title = concat(row.network, width, ", ", row.what);
    if (const auto chosen = chosen_->find(row.name); chosen != chosen_->end()) {
      more = words_between(chosen->second, ' ');
      title += ", " + said(chosen->second);
    }
    more.push_back(concat("train.seeds=", options_.seeds));
    Part part = training(row, channels, out, more);
    part.name = name;
    part.title = title;
    for (std::int64_t seed = 1; seed <= options_.seeds; ++seed) {
      const std::string member = options_.seeds > 1 ? concat(out, "/seed-", seed) : out;
      part.outputs.push_back(member + "/best.h5");
      part.outputs.push_back(member + "/last.h5");
      part.resumes_from =
          part.outputs.back();  // of the last one: the checkpoints of all are begun in this order
    }
    part.seconds = seconds_of(row, channels) * static_cast<double>(options_.seeds);
    plan_.networks.push_back({out, part.title, row.name, channels});
    plan_.parts.push_back(part);
  }

  void add_search(const std::string& target) {
    Part part{"forest-search-" + target, concat("grid search of the forest of ", forest_name(target))};
    const std::string out = plan_.searches[target] = places_.in_out(concat("search-", target, ".json"));
    part.command = {
        places_.tool("forest"), "search", "--data", plan_.data, "--out", out, "--target", target, "--trees",
        listed(options_.trees)};
    part.inputs = {plan_.data};
    part.outputs = {out};
    const double trees = std::accumulate(options_.trees.begin(), options_.trees.end(), 0.0);
    part.seconds = kShortest + 20 * size_.halos * trees / 2350;  // of the default grid
    plan_.parts.push_back(part);
  }

  void add_forest(const std::string& target, std::int64_t seed) {
    const std::string name = concat("forest-", target, "-", seed), out = places_.in_out(name + ".h5");
    Part part{name, concat("forest of ", forest_name(target), ", seed ", seed)};
    part.command = {places_.tool("forest"),
                    "fit",
                    "--data",
                    plan_.data,
                    "--out",
                    out,
                    "--best-of",
                    plan_.searches.at(target),
                    "--target",
                    target,
                    "--seed",
                    std::to_string(seed)};
    part.inputs = {plan_.data, plan_.searches.at(target)};
    part.outputs = {out};
    part.seconds = kShortest + 3 * size_.halos;
    plan_.forests.push_back({out, target, seed});
    plan_.parts.push_back(part);
  }

  // evaluate for the networks of one of their epochs: "best" or "last".
  Part evaluation(const std::string& name, const std::string& out, const std::string& epoch) const {
    Part part{name, ""};
    part.command = {places_.tool("evaluate"), "--data", plan_.data, "--out", out, "--epoch", epoch, "--run"};
    for (const PaperNetwork& network : plan_.networks) part.command.push_back(network.run);
    part.inputs = {plan_.data};
    for (const PaperNetwork& network : plan_.networks)
      for (const std::string& checkpoint : checkpoints_of(plan_, network, epoch))
        part.inputs.push_back(checkpoint);
    part.outputs = {out};
    part.seconds = kShortest + 4 * size_.sub_boxes;
    part.derived = true;
    return part;
  }

  void add_evaluations() {
    Part part = evaluation("evaluate", plan_.evaluation, "last");
    part.title = "chi^2 of all networks, forests and baselines";
    part.command.insert(part.command.end() - std::ssize(plan_.networks) - 1, "--oracle");
    part.command.emplace_back("--forest");
    for (const PaperForest& forest : plan_.forests) {
      part.command.push_back(forest.file);
      part.inputs.push_back(forest.file);
    }
    part.seconds += 7 * size_.halos;
    plan_.parts.push_back(part);
    part = evaluation("evaluate-best", plan_.best_epochs, "best");
    part.title = "chi^2 of the networks' best epochs";
    plan_.parts.push_back(part);
  }

  const PaperOptions& options_;
  const Places& places_;
  const PaperChosen* chosen_;
  std::vector<PaperRow> rows_;
  PaperPlan plan_;
  CatalogSize size_;
};

}  // namespace

PaperPlan paper_plan(const PaperOptions& options, const Places& places, const PaperChosen* chosen) {
  return Planner(options, places, chosen).plan();
}

std::vector<std::string> checkpoints_of(const PaperPlan& plan, const PaperNetwork& network,
                                        const std::string& epoch) {
  std::vector<std::string> files;
  for (const Part& part : plan.parts)
    for (const std::string& output : part.outputs)
      if (output.starts_with(network.run + "/") && output.ends_with("/" + epoch + ".h5"))
        files.push_back(output);
  return files;
}

PaperChosen chosen_settings(const std::vector<PaperChoice>& choices, bool guesses) {
  PaperChosen chosen;
  for (const PaperChoice& choice : choices) {
    if (guesses && !std::filesystem::exists(choice.file))
      chosen[choice.row] = choice.settings.front();
    else
      chosen[choice.row] =
          best_choice(choice.settings, chi2_of_choices(choice.file, choice.settings.size(), choice.row));
  }
  return chosen;
}

void reproduce_paper(const PaperOptions& options, const Places& places, bool overwrite, bool dry_run) {
  const PaperPlan first = paper_plan(options, places, nullptr);
  const PaperChosen guessed = chosen_settings(first.choices, true);
  if (dry_run) {
    std::cout << Runner(places, paper_plan(options, places, &guessed).parts, overwrite).list();
    return;
  }
  if (!first.choices.empty()) {
    const Runner all(places, paper_plan(options, places, &guessed).parts, true);
    Runner runner(places, first.parts, overwrite);
    runner.run(all.seconds_left() - runner.seconds_left());
  }  // which locks the folder
  const PaperChosen chosen = chosen_settings(first.choices);
  const PaperPlan plan = paper_plan(options, places, &chosen);
  Runner runner(places, plan.parts, overwrite);
  runner.run();
  std::cout << write_report(plan, places, runner);
}

}  // namespace umbra
