#include "tools/reproduce/camels_result.h"

#include <omp.h>

#include <cstdlib>
#include <fstream>

#include "engine/base/error.h"
#include "engine/io/format_version.h"
#include "engine/io/version.h"
#include "engine/train/peaks.h"
#include "tools/common/ensemble.h"
#include "tools/common/json_file.h"
#include "tools/common/statistics.h"
#include "tools/reproduce/camels_forest.h"
#include "tools/reproduce/choice.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

// The sum of the times of all steps; validation does not count.
double training_seconds(const std::string& run) {
  const std::string file = run + "/metrics.csv";
  std::ifstream stream(file);
  require(stream.good(), file, ": the file cannot be read");
  double seconds = 0;
  for (std::string line; std::getline(stream, line);)
    if (line.find(",train,") != std::string::npos)
      seconds += std::strtod(line.c_str() + line.rfind(',') + 1, nullptr);
  return seconds;
}

// The values of a row in the boxes: of an ensemble the average of its seeds, or of their mean prediction.
std::vector<double> of_box(const Json& model, const char* score, bool mean_prediction) {
  const bool seeds = model.contains("seeds") && !mean_prediction;
  return (seeds ? model.at("seeds") : model).at(score).at("of_box").get<std::vector<double>>();
}

Json summary(const Json& of) {
  Json all;
  for (const char* key : {"mean", "standard_error", "median", "scatter", "of_seed", "of_fold"})
    if (of.contains(key)) all[key] = of[key];
  return all;
}

Json difference(const Json& model, const Json& control, bool mean_prediction) {
  Json all = {{"control", control.at("name")}};
  for (const char* score : {"chi2", "chi2_eq1"}) {
    all[score] = summary(mean_and_error(
        paired_differences(of_box(model, score, mean_prediction), of_box(control, score, mean_prediction))));
  }
  return all;
}

class Result {
 public:
  Result(const CamelsTableOptions& options, const Places& places, const CamelsChoices& choices,
         const std::vector<Part>& parts, const Json& pooled)
      : options_(options),
        places_(places),
        choices_(choices),
        parts_(parts),
        rows_(chosen_camels_rows(options.rows)),
        pooled_(pooled) {}

  Json json() const {
    Json result = {{"format_version", kFormatVersion},
                   {"version", std::string(version())},
                   {"machine", {{"cpu", cpu_name()}, {"threads", omp_get_max_threads()}}}};
    result["source"] = pooled_.at("source");
    result["boxes"] = pooled_.at("validation_boxes");
    result["folds"] = options_.folds;
    result["seeds"] = options_.seeds;
    result["poisson_chi2"] = pooled_.at("poisson_chi2");
    for (const Json& model : pooled_.at("models"))
      if (model.value("baseline", false)) result["rows"].push_back(baseline(model));
    const Json& best = *model_of(pooled_.at("reference").get<std::string>());
    for (Json& row : camels_forest_rows(options_, places_, pooled_.at("models"), best)) {
      row["command"] = command_of("forest-fold-0-seed-1");
      result["rows"].push_back(row);
    }
    for (const CamelsRow& row : rows_) result["rows"].push_back(network(row));
    return result;
  }

 private:
  Json baseline(const Json& model) const {
    Json row = {{"row", model.at("name")}, {"group", "baseline"}, {"title", model.at("name")}};
    for (const char* score : {"chi2", "chi2_eq1"}) row[score] = summary(model.at(score));
    if (model.contains("minus_reference")) {
      row["minus_control"]["control"] = pooled_.at("reference");
      for (const char* score : {"chi2", "chi2_eq1"})
        row["minus_control"][score] = summary(model.at("minus_reference").at(score));
    }
    row["seconds"] = model.at("seconds").get<double>() / static_cast<double>(options_.folds);
    return row;
  }

  // The pooled row of a network of the table, or a baseline; null if it was left out.
  const Json* model_of(const std::string& name) const {
    for (const CamelsRow& row : rows_) {
      if (row.name != name) continue;
      const std::string run = concat("runs/", row.name, "/fold-*");  // the folder of all may have been moved
      for (const Json& model : pooled_.at("models"))
        if (model.value("run", "").ends_with("/" + run)) return &model;
      fail(camels_pooled(options_, places_), ": there is no row of the runs ", run);
    }
    for (const Json& model : pooled_.at("models"))
      if (model.at("name") == name) return &model;
    return nullptr;
  }

  Json network(const CamelsRow& row) const {
    const Json& model = *model_of(row.name);
    const bool seeds = model.contains("seeds");
    Json json = {{"row", row.name},
                 {"group", row.group == CamelsGroup::kNetwork ? "network" : "change"},
                 {"title", row.title},
                 {"command", command_of(concat(row.name, "-fold-0"))}};
    if (row.choices[0] != '\0') {
      json["choices"] = words_between(row.choices, '|');
      json["chosen"] = choices_.at(row.name);
    }
    for (const char* score : {"chi2", "chi2_eq1"})
      json[score] = summary(seeds ? model.at("seeds").at(score) : model.at(score));
    const Json* control = row.control[0] == '\0' ? nullptr : model_of(row.control);
    if (control != nullptr) json["minus_control"] = named(difference(model, *control, false), row);
    if (seeds) {
      for (const char* score : {"chi2", "chi2_eq1"})
        json["mean_prediction"][score] = summary(model.at(score));
      if (control != nullptr)
        json["mean_prediction"]["minus_control"] = named(difference(model, *control, true), row);
    }
    json["seconds"] = seconds_of(row);
    return json;
  }

  static Json named(Json minus, const CamelsRow& row) {
    minus["control"] = row.control;
    return minus;
  }

  double seconds_of(const CamelsRow& row) const {
    const std::int64_t seeds = row.seeds ? options_.seeds : 1;
    double seconds = 0;
    for (std::int64_t fold = 0; fold < options_.folds; ++fold)
      for (const std::string& run : members_of(camels_run(places_, row, fold)))
        seconds += training_seconds(run);
    return seconds / static_cast<double>(seeds * options_.folds);
  }

  // The command of a part as a line for a shell in the folder of the reproduction, which holds the repository's files.
  std::string command_of(const std::string& name) const {
    for (const Part& part : parts_) {
      if (part.name != name) continue;
      std::vector<std::string> words = part.command;
      words.front() = std::filesystem::path(words.front()).filename();
      for (std::string& word : words)
        for (const std::string& folder : {places_.in_out(""), places_.in_source("")})
          if (word.starts_with(folder)) word.erase(0, folder.size());
      return shell_line(words);
    }
    return "";
  }

  const CamelsTableOptions& options_;
  const Places& places_;
  const CamelsChoices& choices_;
  const std::vector<Part>& parts_;
  std::vector<CamelsRow> rows_;
  const Json& pooled_;
};

}  // namespace

Json camels_result(const CamelsTableOptions& options, const Places& places, const CamelsChoices& choices,
                   const std::vector<Part>& parts) {
  return from_json_file(
      camels_pooled(options, places), "the result of evaluate --pool",
      [&](const Json& pooled) { return Result(options, places, choices, parts, pooled).json(); });
}

}  // namespace umbra
