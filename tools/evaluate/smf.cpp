// chi^2 of trained networks, forests and the baselines on the validation boxes, as a table and as JSON.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "data/boxes/features.h"
#include "data/observations/moustakas2013.h"
#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "models/tasks/smf/baselines.h"
#include "models/tasks/smf/oracle.h"
#include "models/tasks/smf/small_models.h"
#include "models/tasks/smf/smf_task.h"
#include "tools/common/reading_line.h"
#include "tools/common/tool.h"
#include "tools/evaluate/ensemble_row.h"
#include "tools/evaluate/forest_smf.h"
#include "tools/evaluate/scorer.h"
#include "tools/evaluate/smf_table.h"
#include "tools/evaluate/tasks.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

// Two runs can be compared if these settings agree: boxes, bins and split.
std::string comparable_part(const SmfSettings& c) {
  const BoxOptions o = c.box_options();
  return concat(o.subbox_size, " ", o.smf_min, " ", o.smf_width, " ", o.smf_bins, " ", o.per_dex, " ",
                c.train_fraction, " ", c.split_seed, " ", c.folds, " ", c.fold, " ", c.inner_folds, " ",
                c.inner_fold, " ", c.log_floor_galaxies, " ",
                std::accumulate(c.validation_boxes.begin(), c.validation_boxes.end(), std::string(),
                                [](const std::string& list, double box) { return concat(list, box, ","); }));
}

// The scores of forests, each in three ways (tools/evaluate/forest_smf.h).
Json score_forests(const EvaluateArguments& arguments, const Catalog& catalog, const Scorer& scorer) {
  const std::vector<std::string>& files = arguments.forests;
  Json models = Json::array();
  Stage stage(arguments.progress, "scoring forests", static_cast<std::int64_t>(files.size()));
  for (const std::string& file : files) {
    const auto start = std::chrono::steady_clock::now();
    const ForestSmf smf = forest_smf(read_forest(file), file, catalog, scorer.boxes, scorer.wanted);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const auto add = [&](const char* way, const std::vector<double>& phi) {
      const std::string which = files.size() > 1 ? concat(" (", file, ")") : "";
      models.push_back(scorer.score(concat("forest, ", way, which), phi));
      models.back()["forest"] = file;
      models.back()["seconds"] = seconds.count();  // to predict, for all three ways
    };
    add("mean prediction per halo", smf.per_halo);
    add("mean prediction per voxel", smf.cell_mean);
    add("distribution per halo", smf.distributional);
    stage.add();
  }
  return models;
}

// The oracles, if wanted (models/tasks/smf/oracle.h).
Json score_oracles(const EvaluateArguments& arguments, const Catalog& catalog, const SampleSplit& split,
                   const Scorer& scorer) {
  Json models = Json::array();
  if (!arguments.oracle) return models;
  for (const Oracle& oracle :
       oracles(catalog, scorer.boxes, split.train, split.validation, arguments.progress)) {
    models.push_back(scorer.score(oracle.name, oracle.predictions));
    models.back()["oracle"] = true;
    models.back()["excess_chi2"] = oracle.excess;
    models.back()["bandwidth"] = oracle.bandwidth.width;
    models.back()["fewest_points"] = oracle.bandwidth.points;
    models.back()["seconds"] = oracle.seconds;
  }
  return models;
}

// The observed mass function in the range of `edges`, as in its table: Mpc^-3 dex^-1 and Msun for h = 0.7.
Json observed_smf(const std::vector<double>& edges) {
  Json low, high, phi, error_low, error_high;
  for (const ObservedSmfRow& row : moustakas2013_smf()) {
    if (row.high < edges.front() + 1e-6 || row.low > edges.back() - 1e-6) continue;
    low.push_back(row.low);
    high.push_back(row.high);
    phi.push_back(row.phi);
    error_low.push_back(row.error_low);
    error_high.push_back(row.error_high);
  }
  return {{"reference", "Moustakas et al. (2013)"},
          {"h", kMoustakasH},
          {"unit", "Mpc^-3 dex^-1"},
          {"low_log10_msun", low},
          {"high_log10_msun", high},
          {"phi", phi},
          {"error_low", error_low},
          {"error_high", error_high}};
}

// Throws Error unless `run` was trained on this catalog.
BoxSet boxes_of(const std::string& run, const Experiment& experiment, const Catalog& catalog,
                const std::string& data) {
  const SmfSettings& settings = smf_settings(*experiment.config().task);
  BoxSet boxes = make_boxes(catalog, box_options_of_run(settings, experiment.fitted(), run));
  require(!boxes.smf.empty(), data, ": the catalog has no column stellar_mass, so nothing can be scored");
  const auto trained_on = experiment.fitted().find("fingerprint");
  require(trained_on != experiment.fitted().end() && trained_on->second == fingerprint(boxes), data,
          ": not the catalog that ", run,
          " was trained on, so its validation boxes are unknown; predict accepts any catalog");
  return boxes;
}

// The options of the first run with the features of all runs, and the reference relations of these: baselines know what
// any of the networks sees.
BoxOptions options_of_baselines(const EvaluateArguments& arguments) {
  BoxOptions all;
  for (const std::string& run : arguments.runs) {
    const Networks networks = load_networks(run, arguments.device, {}, arguments.epoch);
    const BoxOptions own =
        box_options_of_run(smf_settings(*networks.front()->config().task), networks.front()->fitted(), run);
    if (&run == &arguments.runs.front()) {
      all = own;
      continue;
    }
    auto numbers = own.references.begin();
    for (const std::string& text : own.features) {
      const Feature feature = parse_feature(text, run);
      const auto count = static_cast<std::ptrdiff_t>(reference_numbers({&feature, 1}));
      if (std::find(all.features.begin(), all.features.end(), text) == all.features.end()) {
        all.features.push_back(text);
        all.references.insert(all.references.end(), numbers, numbers + count);
      }
      numbers += count;
    }
  }
  return all;
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
  result["epoch"] = arguments.epoch == Epoch::kLast ? "last" : "best";
  result["training_boxes"] = split.train.size();
  result["validation_boxes"] = split.validation.size();
  result["bin_edges_log10_msun"] = boxes.edges;
  result["smf_unit"] = boxes.smf_unit;
  result["h"] = boxes.h;
  result["subbox_size_mpc_per_h"] = boxes.options.subbox_size;
  result["sigma"] = scorer.transform.sigma;
  std::vector<double> truth;
  for (std::size_t r = 0; r < split.validation.size(); ++r) {
    for (std::size_t b = 0; b < static_cast<std::size_t>(boxes.options.smf_bins); ++b)
      truth.push_back(scorer.truth(r, b));
  }
  result["observed_smf"] = observed_smf(boxes.edges);
  result["poisson_chi2"] = poisson_chi2(boxes, split.validation);
  const Json own = scorer.score("truth", truth);
  result["smf_true_mean"] = own["smf_mean"];
  result["smf_true_standard_deviation"] = own["smf_standard_deviation"];
  result["validation"] = split.validation;
  if (split.train.size() < kFewestForRidge) std::cout << without_ridge(split.train.size()) << '\n';
  const BoxHalos halos = summary_halos(catalog, options_of_baselines(arguments));
  const Summaries summaries = summaries_of(boxes, halos, split.train);
  for (const SmallModel& small :
       small_models(boxes, summaries, split.train, split.validation, SmallModels::kAll, arguments.progress)) {
    Json model = scorer.score(small.name, small.predictions);
    model["baseline"] = true;
    model["seconds"] = small.seconds;
    for (const auto& [name, value] : small.chosen) model[name] = value;
    result["models"].push_back(model);
  }
  for (const Json& model : score_oracles(arguments, catalog, split, scorer))
    result["models"].push_back(model);
  for (const Json& model : score_forests(arguments, catalog, scorer)) result["models"].push_back(model);
  return result;
}

// The scores of a run, or of an ensemble with its members. `boxes` are those of the scorer; their inputs are scaled.
Json score_run(const std::string& run, const Networks& networks, BoxSet& boxes, const Scorer& scorer,
               const StageReport& progress) {
  const RunConfig& config = networks.front()->config();
  Cloned<Model> network = config.model;
  scale_inputs(boxes, scorer.transform);
  const std::unique_ptr<Dataset> data = make_dataset(boxes, scorer.wanted, {});
  const Loader loader(*data, {64, 0, false, false, false});
  const auto score = [&](const std::string& what, const std::string& of, const std::vector<double>& phi) {
    Json scores = scorer.score(concat(network->label(), what, " (", of, ")"), phi);
    scores["run"] = of;
    scores.update(options_of(*network));
    return scores;
  };
  const std::vector<std::string> folders = members_of(run);
  std::vector<std::vector<double>> phi;
  Json members = Json::array();
  Stage stage(progress, concat("scoring ", run), std::ssize(scorer.wanted) * std::ssize(networks));
  for (std::size_t i = 0; i < networks.size(); ++i) {
    Experiment& member = *networks[i];
    phi.push_back(finite_predictions(member.context(), member.objective(), loader, folders[i], &stage));
    members.push_back(score("", folders[i], phi.back()));
    members.back()["step"] = member.info().step;
  }
  if (networks.size() == 1) return members.front();
  Json row = score(", mean prediction", run, config.task->combined(phi, networks.front()->fitted()));
  add_members(row, concat(network->label(), ", ", networks.size(), " seeds (", run, ")"), members,
              {"chi2", "chi2_eq1"});
  return row;
}

}  // namespace

void evaluate_smf(const EvaluateArguments& arguments) {
  require(arguments.split != "test",
          "--split test: data sets have test samples; the boxes of a catalog train or validate");
  CatalogReport report;
  const Catalog catalog = read_large_catalog(arguments.data, &report);
  for (const std::string& remark : report.remarks()) std::cout << remark << '\n';
  Json result;
  std::string reference;
  for (const std::string& run : arguments.runs) {
    const Networks networks = load_networks(run, arguments.device, {}, arguments.epoch);
    const Experiment& experiment = *networks.front();
    const SmfSettings& settings = smf_settings(*experiment.config().task);
    BoxSet boxes = boxes_of(run, experiment, catalog, arguments.data);
    const SampleSplit split = settings.split(boxes.count, boxes.per_cube());
    const Scorer scorer{boxes, split.validation, from_map(experiment.fitted(), settings, run),
                        settings.log_floor()};
    if (reference.empty()) {
      reference = comparable_part(settings);
      result = score_all_but_networks(arguments, catalog, split, scorer);
    }
    require(comparable_part(settings) == reference, run,
            ": this run's sub-boxes, bins, split or floor differ from those of ", arguments.runs.front(),
            "; runs can only be compared on the same validation boxes");
    result["models"].push_back(score_run(run, networks, boxes, scorer, arguments.progress));
  }
  add_differences(result, arguments.reference);
  write_json(arguments.out, result);
  std::cout << smf_table(result);
}

}  // namespace umbra
