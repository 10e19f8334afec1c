#include "tools/evaluate/smf_table.h"

#include <algorithm>
#include <cstdio>

#include "engine/base/error.h"
#include "models/tasks/smf/baselines.h"
#include "tools/evaluate/ensemble_row.h"
#include "tools/evaluate/scorer.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

template <class... Arguments>
std::string printed(const char* format, Arguments... arguments) {
  char text[256];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

std::string padded(const std::string& name, std::size_t width) {
  return name + std::string(width - std::min(width, name.size()), ' ');
}

bool is_baseline(const Json& model) {
  return model.value("baseline", false);
}

double mean_of(const Json& scores) {
  return scores["chi2"]["mean"].get<double>();
}

const Json& best_baseline(const Json& models) {
  const Json* best = nullptr;
  for (const Json& model : models)
    if (is_baseline(model) && (best == nullptr || mean_of(model) < mean_of(*best))) best = &model;
  return *best;
}

// The model with a name, or of a run.
const Json& named(const Json& models, const std::string& wanted) {
  std::string names;
  for (const Json& model : models) {
    if (model["name"] == wanted || model.value("run", "") == wanted) return model;
    names += concat(names.empty() ? "" : ", ", '\'', model["name"].get<std::string>(), '\'');
  }
  fail("--reference ", wanted, ": there is no such model; expected one of ", names);
}

Json difference(const Json& model, const Json& reference) {
  return mean_and_error(paired_differences(model["of_box"].get<std::vector<double>>(),
                                           reference["of_box"].get<std::vector<double>>()));
}

bool has_boxes_of_seeds(const Json& model) {
  return model.contains("seeds") && model["seeds"]["chi2"].contains("of_box");
}

// What a row is compared with: a mean prediction with that of the reference, everything else with the average of the
// reference's seeds, where their boxes are known.
const Json& opponent(const Json& model, const Json& reference) {
  return !model.contains("seeds") && has_boxes_of_seeds(reference) ? reference["seeds"] : reference;
}

std::string row(const std::string& name, std::size_t width, const Json& scores, const char* error) {
  const auto number = [](const Json& of, const char* which) { return of[which].get<double>(); };
  const Json &chi2 = scores["chi2"], &of_log = scores["chi2_eq1"];
  std::string text =
      padded(name, width) + printed(" %9.2f +- %5.2f", number(chi2, "mean"), number(chi2, error));
  text += chi2.contains("median") ? printed(" %8.2f", number(chi2, "median")) : std::string(9, ' ');
  if (scores.contains("minus_reference")) {
    const Json& minus = scores["minus_reference"]["chi2"];
    text += printed(" %+9.2f +- %5.2f %+8.2f", number(minus, "mean"), number(minus, "standard_error"),
                    number(minus, "median"));
  } else {
    text += std::string(28, ' ');
  }
  return text + printed(" %9.2f +- %5.2f\n", number(of_log, "mean"), number(of_log, error));
}

// What the estimation of an oracle adds to its score, one line each.
std::string explained_oracles(const Json& models) {
  std::string text;
  for (const Json& model : models)
    if (model.value("oracle", false))
      text +=
          concat(model["name"].get<std::string>(), ": ", printed("%.2f", model["excess_chi2"].get<double>()),
                 " of its chi2 is the error of its estimate from the training boxes\n");
  return text;
}

// The networks that score no better than the best baseline, one line each.
std::string beaten(const Json& models) {
  const Json& best = best_baseline(models);
  std::string text;
  for (const Json& model : models) {
    if (!model.contains("run") || mean_of(model) <= mean_of(best)) continue;
    const Json by = difference(model["chi2"], best["chi2"]);
    const double higher = by["mean"].get<double>(), error = by["standard_error"].get<double>();
    const bool is_clear = higher > 2 * error;
    text += concat(model["name"].get<std::string>(),
                   is_clear ? " is beaten by a baseline, the " : " does not beat a baseline, the ",
                   best["name"].get<std::string>(), ": its chi2 is ",
                   printed("%.2f +- %.2f higher", higher, error),
                   is_clear ? "\n" : ", less than two standard errors\n");
  }
  return text;
}

}  // namespace

void add_differences(Json& result, const std::string& wanted) {
  const Json best = best_baseline(result["models"]);
  const Json reference = wanted.empty() ? best : named(result["models"], wanted);
  result["best_baseline"] = best["name"];
  result["reference"] = reference["name"];
  const auto add = [&](Json& model) {
    const Json& other = opponent(model, reference);
    for (const char* score : {"chi2", "chi2_eq1"})
      model["minus_reference"][score] = difference(model[score], other[score]);
  };
  for (Json& model : result["models"]) {
    if (model["name"] == reference["name"]) continue;
    add(model);
    if (has_boxes_of_seeds(model)) add(model["seeds"]);
  }
  for (Json& model : result["models"]) {
    if (!model.contains("members")) continue;
    for (Json& member : model["members"])
      if (member["name"] != reference["name"]) add(member);
  }
}

std::string smf_table(const Json& result) {
  constexpr std::size_t kWidest = 54;  // the longest name of a baseline; paths of runs can be longer
  std::size_t width = 0;
  for (const Json& model : result["models"]) {
    width = std::max(width, model["name"].get<std::string>().size());
    if (model.contains("seeds")) width = std::max(width, model["seeds"]["name"].get<std::string>().size());
  }
  width = std::min(width, kWidest);
  std::string text =
      padded("model", width) + printed(" %18s %8s %18s %8s %18s\n", "chi2 (sum of bins)", "median",
                                       "minus reference", "median", "chi2 (Eq. 1, log)");
  for (const Json& model : result["models"]) {
    if (model.contains("seeds"))
      text += row(model["seeds"]["name"].get<std::string>(), width, model["seeds"], "scatter");
    text += row(model["name"].get<std::string>(), width, model, "standard_error");
  }
  text += concat("mean over ", result["validation_boxes"].get<std::int64_t>(),
                 " validation boxes +- its standard error", explained_scatter(result),
                 "; reference: ", result["reference"].get<std::string>(), "\n");
  double seconds = 0;
  for (const Json& model : result["models"])
    if (is_baseline(model)) seconds += model.value("seconds", 0.0);
  text += printed("%s alone: chi2 %.2f; baselines fitted in %.1f s\n", kPoissonName,
                  result["poisson_chi2"].get<double>(), seconds);
  return text + explained_oracles(result["models"]) + beaten(result["models"]);
}

}  // namespace umbra
