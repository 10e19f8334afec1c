#include "tools/reproduce/paper_figures.h"

#include <algorithm>

#include "engine/base/error.h"
#include "tools/reproduce/catalog_size.h"
#include "tools/reproduce/results.h"

namespace umbra {
namespace {

using Words = std::vector<std::string>;

class FigureParts {
 public:
  FigureParts(PaperPlan& plan, const Places& places, bool draws)
      : plan_(plan), places_(places), draws_(draws) {}

  void add() {
    add_table();
    add_halos();
    add_importance();
    add_losses();
    add_mass_functions();
    add_boxes();
    figure("table-1", "table", {"--evaluation", plan_.table, "--paper"}, {plan_.table},
           "Table 1 as a figure: means with standard errors over sub-boxes, scatter of seeds, medians.");
    figure("changes", "changes", {"--evaluation", plan_.table}, {plan_.table},
           "Paired differences from the best baseline, with 1 and 2 standard errors.");
  }

 private:
  // A figure and the part that draws it.
  void figure(const std::string& name, const std::string& command, const Words& words, const Words& inputs,
              const std::string& caption) {
    if (!draws_) return;
    const std::string out = places_.in_out("figures/" + name);
    Part part{"figure-" + name, "figure " + name};
    part.command = {"python3", places_.in_source("tools/plot.py"), command, "--out", out};
    part.command.insert(part.command.end(), words.begin(), words.end());
    part.inputs = inputs;
    part.outputs = {out + ".png", out + ".pdf"};
    part.seconds = 1.3;
    part.optional = true;
    part.derived = true;
    plan_.figures.push_back({name, caption});
    plan_.parts.push_back(part);
  }

  void tool(const std::string& name, const std::string& title, Words command, const Words& inputs,
            const std::string& out, double seconds) {
    Part part{name, title};
    command.front() = places_.tool(command.front());
    part.command = std::move(command);
    part.inputs = inputs;
    part.outputs = {out};
    part.seconds = seconds;
    part.derived = true;
    plan_.parts.push_back(part);
  }

  void add_table() {
    Part part{"table", "Table 1"};
    part.inputs = {plan_.evaluation, plan_.best_epochs};
    part.seconds = 0.1;
    part.outputs = {plan_.table};
    PaperPlan plan = plan_;
    plan.parts.clear();
    part.make = [plan] { write_table(read_results(plan), plan.table); };
    plan_.parts.push_back(part);
  }

  // Figure 3, of the script's forests.
  void add_importance() {
    Words all{"--importance"}, files;
    const std::string trees = std::to_string(std::min<std::int64_t>(20, plan_.fewest_trees));
    for (const PaperForest& forest : plan_.forests) {
      if (forest.target != "linear") continue;
      const std::string out = places_.in_out(concat("importance-", forest.seed, ".json"));
      tool(concat("importance-", forest.seed), concat("feature importances, seed ", forest.seed),
           {"forest", "importance", "--model", forest.file, "--data", plan_.data, "--out", out, "--trees",
            trees},
           {forest.file, plan_.data}, out, kShortest + 0.1 * size_.halos);
      files.push_back(out);
    }
    all.insert(all.end(), files.begin(), files.end());
    figure("3-importances", "importance", all, files,
           "Figure 3: how much each column matters to the forest of M*.");
  }

  // Figure 2, of both targets.
  void add_halos() {
    for (const PaperForest& forest : plan_.forests) {
      if (forest.seed != 1) continue;
      const std::string out = places_.in_out(concat("halos-", forest.target, ".h5"));
      tool(concat("halos-", forest.target), concat("masses of all halos, forest of ", forest.target, " M*"),
           {"forest", "predict", "--model", forest.file, "--data", plan_.data, "--out", out},
           {forest.file, plan_.data}, out, kShortest + 0.1 * size_.halos);
      figure(concat("2-halos-", forest.target), "halos", {"--predictions", out}, {out},
             concat("Figure 2: masses that the forest of ", forest.target == "log10" ? "log10 M*" : "M*",
                    " predicts for halos that it was not fitted on."));
    }
  }

  // The widest network of a recipe.
  const PaperNetwork& widest(const std::string& recipe) const {
    const PaperNetwork* found = &plan_.networks.front();
    for (const PaperNetwork& network : plan_.networks)
      if (network.recipe == recipe && (found->recipe != recipe || network.channels > found->channels))
        found = &network;
    return *found;
  }

  // The end of a network's name in the evaluation, which also holds where the folder has been moved.
  static std::string named(const PaperNetwork& network) {
    return network.run.substr(network.run.rfind('/')) + ")";
  }

  // Figure 5, of both recipes for the widest network.
  void add_losses() {
    for (const std::string recipe : {"paper", "um_resnet"}) {
      const PaperNetwork& network = widest(recipe);
      if (network.recipe != recipe) continue;
      Words words{"--run"};
      const Words inputs = checkpoints_of(plan_, network, "last");
      for (const std::string& last : inputs) words.push_back(last.substr(0, last.rfind('/')));
      figure("5-loss-" + recipe, "loss", words, inputs,
             concat("Figure 5: χ² of training and validation against the epoch, ", network.title, "."));
    }
  }

  // Figure 6: the forests, and the widest network of each recipe.
  void add_mass_functions() {
    Words words{"--evaluation", plan_.evaluation, "--models", "forest, mean prediction per voxel"};
    Words names{"--names"};
    for (const char* target : {"M*", "log10 M*"})
      names.push_back(concat("forest, mean prediction per voxel, of ", target));
    std::vector<const PaperNetwork*> networks;
    for (const char* recipe : {"paper", "um_resnet"})
      if (const PaperNetwork& network = widest(recipe); network.recipe == recipe)
        networks.push_back(&network);
    if (networks.empty()) networks.push_back(&plan_.networks.front());
    for (const PaperNetwork* network : networks) {
      words.push_back(named(*network));
      names.push_back(network->title);
    }
    words.insert(words.end(), names.begin(), names.end());
    figure(
        "6-mass-functions", "smf", words, {plan_.evaluation},
        "Figure 6: the mean stellar mass function of the validation sub-boxes, its scatter over them, and the "
        "residuals. χ² in the legend is that of the mean prediction of the seeds, which scores less than a seed.");
  }

  void add_boxes() {
    const PaperNetwork& network = widest("um_resnet");
    const std::string out = places_.in_out("predictions.h5");
    Words inputs = checkpoints_of(plan_, network, "best");
    inputs.push_back(plan_.data);
    tool("predict", concat("mass functions of all sub-boxes, ", network.title, ", best epochs"),
         {"predict", "--run", network.run, "--data", plan_.data, "--out", out}, inputs, out,
         kShortest + size_.sub_boxes);
    figure("predictions", "predictions", {"--predictions", out}, {out},
           concat("Predicted against true number densities of the validation sub-boxes, ", network.title,
                  ", mean of the best epochs of all seeds."));
  }

  PaperPlan& plan_;
  const Places& places_;
  bool draws_;
  CatalogSize size_ = size_of_catalog(plan_.data);
};

}  // namespace

void add_figures(PaperPlan& plan, const Places& places, bool draws) {
  FigureParts(plan, places, draws).add();
}

}  // namespace umbra
