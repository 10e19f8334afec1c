#include "tools/reproduce/paper.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "engine/base/error.h"
#include "tools/reproduce/catalog_size.h"
#include "tools/reproduce/paper_figures.h"

namespace umbra {
namespace {

// A network of the table, or one for each C. What is not here is as in its configuration.
struct Row {
  const char *name, *network, *what;
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
// The 2D network of the authors' code, and a rate at which um_dense scores less than at 0.003 on the mock (43.95, not 44.67).
constexpr const char* kPlain = "model.name=um_resnet2d model.blocks=plain model.channels=10";
constexpr const char* kDense = "model.name=um_dense train.learning_rate=0.0003";
constexpr Row kRows[] = {
    {"paper", "um_resnet", "the paper's recipe", "paper.toml", kPaper, true, 15, 0.25},
    {"paper-log", "um_resnet C=20", "the paper's recipe, loss of Eq. 1", "paper.toml", kPaperLog, false, 15,
     0.25},
    {"um_resnet", "um_resnet", "our recipe", "um_resnet.toml", "", true, 60, 0.25},
    {"um_resnet2d", "um_resnet2d C=20", "our recipe", "", "model.name=um_resnet2d", false, 60, 0.25},
    {"um_resnet2d-plain", "um_resnet2d plain C=10", "our recipe", "", kPlain, false, 60, 0.25},
    {"um_dense", "um_dense", "our recipe, learning rate 0.0003", "", kDense, false, 60, 1},
    {"um_halos", "um_halos", "our recipe, Vpeak alone", "um_halos.toml", kHalos, false, 12, 2},
};

// Chooses among the rows by name; all if there are no names.
std::vector<Row> chosen_rows(const std::vector<std::string>& names) {
  std::vector<Row> rows;
  std::string all;
  for (const Row& row : kRows) {
    if (names.empty() || std::find(names.begin(), names.end(), row.name) != names.end()) rows.push_back(row);
    all += concat(all.empty() ? "" : ", ", row.name);
  }
  for (const std::string& name : names)
    require(std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; }),
            "--rows ", name, ": there is no such row, only ", all);
  return rows;
}

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
    plan_.best_epochs = places_.in_out("best_epochs.json");
    size_ = plan_.data == options_.data ? size_of_catalog(plan_.data) : CatalogSize{};
    for (const Row& row : chosen_rows(options_.rows)) {
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
    // A second for the first checkpoint, and every epoch validates and writes one.
    return (1 + row.seconds * size_.sub_boxes * wider * epochs) * static_cast<double>(options_.seeds);
  }

  void add_training(const Row& row, std::int64_t channels) {
    const std::string name = channels > 0 ? concat(row.name, "-", channels) : row.name;
    const std::string out = places_.in_out("runs/" + name);
    const std::string width = channels > 0 ? concat(" C=", channels) : "";
    Part part{name, concat(row.network, width, ", ", row.what)};
    part.command = {places_.tool("train"), "--data", plan_.data, "--out", out};
    part.inputs = {plan_.data};
    if (*row.config != '\0') {
      part.inputs.push_back(places_.in_source(concat("models/configs/", row.config)));
      part.command.insert(part.command.end(), {"--config", part.inputs.back()});
    }
    const std::vector<std::string> settings = settings_of(row, channels);
    part.command.insert(part.command.end(), settings.begin(), settings.end());
    part.folder = out;
    part.resume = {places_.tool("train"), "--data", plan_.data, "--out", out, "--resume"};
    for (std::int64_t seed = 1; seed <= options_.seeds; ++seed) {
      const std::string member = options_.seeds > 1 ? concat(out, "/seed-", seed) : out;
      part.outputs.push_back(member + "/best.h5");
      part.outputs.push_back(member + "/last.h5");
      part.resumes_from =
          part.outputs.back();  // of the last one: the checkpoints of all are begun in this order
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
    const double trees = std::accumulate(options_.trees.begin(), options_.trees.end(), 0.0);
    part.seconds = 120 * size_.halos * trees / 2350;  // of the default grid
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
    part.seconds = 10 * size_.halos;
    plan_.forests.push_back({out, target, seed});
    plan_.parts.push_back(part);
  }

  // evaluate for the networks of one of their epochs: "best" or "last".
  Part evaluation(const std::string& name, const std::string& out, const std::string& epoch) const {
    Part part{name, ""};
    part.command = {places_.tool("evaluate"), "--data", plan_.data, "--out", out, "--epoch", epoch, "--run"};
    for (const PaperNetwork& network : plan_.networks) part.command.push_back(network.run);
    part.inputs = {plan_.data};
    for (const Part& one : plan_.parts)
      for (const std::string& output : one.outputs)
        if (output.ends_with("/" + epoch + ".h5")) part.inputs.push_back(output);
    part.outputs = {out};
    part.seconds = 40 * size_.sub_boxes;
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
    part.seconds += 40 * size_.halos;
    plan_.parts.push_back(part);
    part = evaluation("evaluate-best", plan_.best_epochs, "best");
    part.title = "chi^2 of the networks' best epochs";
    plan_.parts.push_back(part);
  }

  const PaperOptions& options_;
  const Places& places_;
  PaperPlan plan_;
  CatalogSize size_;
};

}  // namespace

PaperPlan paper_plan(const PaperOptions& options, const Places& places) {
  return Planner(options, places).plan();
}

}  // namespace umbra
