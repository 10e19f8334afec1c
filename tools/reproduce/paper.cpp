#include "tools/reproduce/paper.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "engine/base/error.h"
#include "models/model.h"
#include "tools/reproduce/paper_figures.h"

namespace umbra {
namespace {

// A network of the table, or one for each C. What is not here is as in its configuration. Rows of models that this
// program does not have are left out.
struct Row {
  const char *name, *model, *what;
  const char* config;    // in models/configs; empty: the defaults, which are those of um_resnet.toml
  const char* settings;  // more than the configuration, separated by blanks
  bool of_each_channels;
  int epochs;      // of its configuration and settings
  double seconds;  // of an epoch of 800 boxes on two cores, at C = 20
};
// As in the paper, but where 25 Mpc/h or 32 boxes do not fit a catalog, which has other sub-boxes or few of them.
constexpr const char* kPaper = "data.subbox_size=auto train.batch=auto";
constexpr const char* kPaperLog = "data.subbox_size=auto train.batch=auto loss.name=chi2_log";
// Galaxies of the mock depend on the vpeak of their halos alone (docs/training.md, "Halos").
constexpr const char* kHalos =
    "data.features=log10(vpeak) model.embedding=0 loss.halos=20 train.epochs=12 train.warmup_epochs=1";
constexpr Row kRows[] = {
    {"paper", "um_resnet", "the paper's recipe", "paper.toml", kPaper, true, 15, 0.25},
    {"paper-log", "um_resnet", "the paper's recipe, loss of Eq. 1", "paper.toml", kPaperLog, false, 15, 0.25},
    {"um_resnet", "um_resnet", "our recipe", "um_resnet.toml", "", true, 60, 0.25},
    {"um_resnet2d", "um_resnet2d", "our recipe", "", "model.name=um_resnet2d", false, 60, 0.25},
    {"um_dense", "um_dense", "our recipe", "", "model.name=um_dense", false, 60, 1},
    {"um_halos", "um_halos", "our recipe, Vpeak alone", "um_halos.toml", kHalos, false, 12, 2},
};

std::string listed(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += concat(text.empty() ? "" : ",", number);
  return text;
}

bool is_of_paper(const Row& row) {
  return std::string(row.config) == "paper.toml";
}

const char* forest_name(const std::string& target) {
  return target == "log10" ? "log10 M*" : "M*";
}

class Planner {
 public:
  Planner(const PaperOptions& options, const Places& places) : options_(options), places_(places) {}

  PaperPlan plan() {
    plan_.data = options_.data;
    plan_.evaluation = places_.in_out("evaluation.json");
    plan_.table = places_.in_out("table.json");
    plan_.fewest_trees = *std::min_element(options_.trees.begin(), options_.trees.end());
    if (plan_.data.empty()) add_mock();
    const std::vector<std::string> models = model_names();
    for (const Row& row : kRows) {
      if (std::find(models.begin(), models.end(), row.model) == models.end()) continue;
      for (std::size_t i = 0; i < (row.of_each_channels ? options_.channels.size() : 1); ++i)
        add_training(row, row.of_each_channels ? options_.channels[i] : 0);
    }
    for (const char* target : {"linear", "log10"}) {
      add_search(target);
      for (std::int64_t seed = 1; seed <= options_.seeds; ++seed) add_forest(target, seed);
    }
    add_evaluation();
    add_figures(plan_, places_, options_.figures);
    return plan_;
  }

 private:
  void add_mock() {
    plan_.data = places_.in_out("universe.h5");
    Part part{"mock", "a mock universe of 250 Mpc/h"};
    part.command = {places_.tool("mock"), "--out", plan_.data};
    part.outputs = {plan_.data};
    part.seconds = 13;
    plan_.parts.push_back(part);
  }

  // The settings of a row besides those of its configuration. The paper lowers the rate after two thirds.
  std::vector<std::string> settings_of(const Row& row, std::int64_t channels) const {
    std::vector<std::string> words;
    std::istringstream settings(row.settings);
    for (std::string setting; settings >> setting;) words.push_back(setting);
    if (channels > 0) words.push_back(concat("model.channels=", channels));
    if (options_.epochs > 0) words.push_back(concat("train.epochs=", options_.epochs));
    if (options_.epochs > 0 && is_of_paper(row))
      words.push_back(concat("train.step_epochs=[", std::max<std::int64_t>(1, 2 * options_.epochs / 3), "]"));
    words.push_back(concat("train.seeds=", options_.seeds));
    return words;
  }

  double seconds_of(const Row& row, std::int64_t channels) const {
    const auto epochs = static_cast<double>(options_.epochs > 0 ? options_.epochs : row.epochs);
    // 12, 88 and 280 ms a step at C = 20, 100 and 200 (docs/benchmarks.md).
    const double wider = std::pow(static_cast<double>(channels > 0 ? channels : 20) / 20, 1.4);
    return row.seconds * wider * epochs * static_cast<double>(options_.seeds);
  }

  void add_training(const Row& row, std::int64_t channels) {
    const std::string name = channels > 0 ? concat(row.name, "-", channels) : row.name;
    const std::string out = places_.in_out("runs/" + name);
    const std::string width = channels > 0 ? concat(" C=", channels) : "";
    Part part{name, concat(row.model, width, ", ", row.what)};
    part.command = {places_.tool("train"), "--data", plan_.data, "--out", out};
    part.inputs = {plan_.data};
    if (*row.config != '\0') {
      part.inputs.push_back(places_.in_source(concat("models/configs/", row.config)));
      part.command.insert(part.command.end(), {"--config", part.inputs.back()});
    }
    const std::vector<std::string> settings = settings_of(row, channels);
    part.command.insert(part.command.end(), settings.begin(), settings.end());
    part.resume = {places_.tool("train"), "--data", plan_.data, "--out", out, "--resume"};
    for (std::int64_t seed = 1; seed <= options_.seeds; ++seed) {
      const std::string member = options_.seeds > 1 ? concat(out, "/seed-", seed) : out;
      part.outputs.push_back(member + "/best.h5");
      part.resumes_from =
          member + "/last.h5";  // of the last one: the checkpoints of all are begun in this order
    }
    part.seconds = seconds_of(row, channels);
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
    part.seconds = 120;
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
    part.seconds = 10;
    plan_.forests.push_back({out, target, seed});
    plan_.parts.push_back(part);
  }

  // Whether it makes a network or a forest.
  bool is_model(const Part& part) const {
    return !part.resume.empty() ||
           std::any_of(plan_.forests.begin(), plan_.forests.end(),
                       [&](const PaperForest& forest) { return forest.file == part.outputs.front(); });
  }

  void add_evaluation() {
    Part part{"evaluate", "chi^2 of all networks, forests and baselines"};
    part.command = {places_.tool("evaluate"), "--data",   plan_.data, "--out",
                    plan_.evaluation,         "--oracle", "--run"};
    for (const PaperNetwork& network : plan_.networks) part.command.push_back(network.run);
    part.command.emplace_back("--forest");
    for (const PaperForest& forest : plan_.forests) part.command.push_back(forest.file);
    part.inputs = {plan_.data};
    for (const Part& one : plan_.parts)
      if (is_model(one)) part.inputs.insert(part.inputs.end(), one.outputs.begin(), one.outputs.end());
    part.outputs = {plan_.evaluation};
    part.seconds = 60;
    plan_.parts.push_back(part);
  }

  const PaperOptions& options_;
  const Places& places_;
  PaperPlan plan_;
};

}  // namespace

PaperPlan paper_plan(const PaperOptions& options, const Places& places) {
  return Planner(options, places).plan();
}

}  // namespace umbra
