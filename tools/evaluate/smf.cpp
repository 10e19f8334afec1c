// chi^2 of trained networks, forests and the baselines on the validation boxes, as a table and as JSON.
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "models/tasks/smf/baselines.h"
#include "models/tasks/smf/smf_task.h"
#include "tools/common/tool.h"
#include "tools/evaluate/forest_smf.h"
#include "tools/evaluate/scorer.h"
#include "tools/evaluate/tasks.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

// Two runs can be compared if these settings agree: boxes, bins and split.
std::string comparable_part(const SmfSettings& c) {
  const BoxOptions o = c.box_options();
  return concat(o.subbox_size, " ", o.smf_min, " ", o.smf_width, " ", o.smf_bins, " ", o.per_dex, " ",
                c.train_fraction, " ", c.split_seed, " ", c.log_floor_galaxies, " ",
                std::accumulate(c.validation_boxes.begin(), c.validation_boxes.end(), std::string(),
                                [](const std::string& list, double box) { return concat(list, box, ","); }));
}

// The scores of forests, each in three ways (tools/evaluate/forest_smf.h).
Json score_forests(const std::vector<std::string>& files, const Catalog& catalog, const Scorer& scorer) {
  Json models = Json::array();
  for (const std::string& file : files) {
    const ForestSmf smf = forest_smf(read_forest(file), file, catalog, scorer.boxes, scorer.wanted);
    const auto add = [&](const char* way, const std::vector<double>& phi) {
      const std::string which = files.size() > 1 ? concat(" (", file, ")") : "";
      models.push_back(scorer.score(concat("forest, ", way, which), phi));
      models.back()["forest"] = file;
    };
    add("mean prediction per halo", smf.per_halo);
    add("mean prediction per voxel", smf.cell_mean);
    add("distribution per halo", smf.distributional);
  }
  return models;
}

void print_table(const Json& result) {
  std::printf("%-44s %22s %26s\n", "model", "chi2 (sum over bins)", "chi2 (Eq. 1, log phi)");
  for (const Json& model : result["models"]) {
    std::printf("%-44s %12.2f +- %6.2f %16.2f +- %6.2f\n", model["name"].get<std::string>().c_str(),
                model["chi2"]["mean"].get<double>(), model["chi2"]["standard_error"].get<double>(),
                model["chi2_eq1"]["mean"].get<double>(), model["chi2_eq1"]["standard_error"].get<double>());
  }
  std::printf("mean over %lld validation boxes +- its standard error\n",
              static_cast<long long>(result["validation_boxes"].get<std::int64_t>()));
}

// Throws Error unless `run` was trained on this catalog.
BoxSet boxes_of(const std::string& run, const Experiment& experiment, const Catalog& catalog,
                const std::string& data) {
  BoxSet boxes = make_boxes(catalog, smf_settings(*experiment.config().task).box_options());
  require(!boxes.smf.empty(), data, ": the catalog has no column stellar_mass, so nothing can be scored");
  const auto trained_on = experiment.fitted().find("fingerprint");
  require(trained_on != experiment.fitted().end() && trained_on->second == fingerprint(boxes), data,
          ": not the catalog that ", run,
          " was trained on, so its validation boxes are unknown; predict accepts any catalog");
  return boxes;
}

// The part of the result that all runs share: the boxes with their true mass functions, the baselines, the
// forests.
Json score_all_but_networks(const EvaluateArguments& arguments, const Catalog& catalog,
                            const SampleSplit& split, const Scorer& scorer) {
  const BoxSet& boxes = scorer.boxes;
  Json result;
  result["format_version"] = kFormatVersion;
  result["data"] = arguments.data;
  result["source"] = boxes.source;
  result["training_boxes"] = split.train.size();
  result["validation_boxes"] = split.validation.size();
  result["bin_edges_log10_msun"] = boxes.edges;
  result["smf_unit"] = boxes.smf_unit;
  result["sigma"] = scorer.transform.sigma;
  std::vector<double> truth;
  for (std::size_t r = 0; r < split.validation.size(); ++r) {
    for (std::size_t b = 0; b < static_cast<std::size_t>(boxes.options.smf_bins); ++b)
      truth.push_back(scorer.truth(r, b));
  }
  const Json own = scorer.score("truth", truth);
  result["smf_true_mean"] = own["smf_mean"];
  result["smf_true_standard_deviation"] = own["smf_standard_deviation"];
  result["models"].push_back(scorer.score("mean SMF", mean_baseline(boxes, split.train, split.validation)));
  const RidgeBaseline ridge = ridge_baseline(boxes, split.train, split.validation);
  result["models"].push_back(scorer.score("ridge on the histogram of the input", ridge.predictions));
  result["models"].back()["penalty"] = ridge.penalty;
  for (const Json& model : score_forests(arguments.forests, catalog, scorer))
    result["models"].push_back(model);
  return result;
}

// `boxes` are those of the scorer; their inputs are scaled.
Json score_network(const std::string& run, Experiment& experiment, BoxSet& boxes, const Scorer& scorer) {
  Cloned<Model> network = experiment.config().model;
  scale_inputs(boxes, scorer.transform);
  const BoxDataset data(boxes, scorer.wanted, {});
  const Loader loader(data, {64, 0, false, false, false});
  Json model = scorer.score(concat(network->label(), " (", run, ")"),
                            finite_predictions(experiment.context(), experiment.objective(), loader, run));
  model["run"] = run;
  model.update(options_of(*network));
  model["step"] = experiment.info().step;
  return model;
}

}  // namespace

void evaluate_smf(const EvaluateArguments& arguments) {
  CatalogReport report;
  const Catalog catalog = read_catalog(arguments.data, &report);
  if (report.wrapped > 0) std::cout << report.wrapped << " positions lay outside the box and were wrapped\n";
  Json result;
  std::string reference;
  for (const std::string& run : arguments.runs) {
    const std::unique_ptr<Experiment> experiment = Experiment::load(run, arguments.device);
    const SmfSettings& settings = smf_settings(*experiment->config().task);
    BoxSet boxes = boxes_of(run, *experiment, catalog, arguments.data);
    const SampleSplit split = settings.split(boxes.count);
    const Scorer scorer{boxes, split.validation, from_map(experiment->fitted(), settings, run),
                        settings.log_floor()};
    if (reference.empty()) {
      reference = comparable_part(settings);
      result = score_all_but_networks(arguments, catalog, split, scorer);
    }
    require(comparable_part(settings) == reference, run,
            ": this run's sub-boxes, bins, split or floor differ from those of ", arguments.runs.front(),
            "; runs can only be compared on the same validation boxes");
    result["models"].push_back(score_network(run, *experiment, boxes, scorer));
  }
  write_json(arguments.out, result);
  print_table(result);
}

}  // namespace umbra
