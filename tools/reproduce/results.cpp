#include "tools/reproduce/results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "tools/common/json_file.h"
#include "tools/common/statistics.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kEvaluation = "the result of evaluate";

double statistic(const std::vector<double>& values, const char* which) {
  return mean_and_error(values).at(which);
}

// Adds one seed to a row that has had `seeds` of them.
void add_seed(Chi2& chi2, const Json& json) {
  const auto of_box = json.at("of_box").get<std::vector<double>>();
  const auto seeds = static_cast<double>(chi2.of_seed.size());
  chi2.of_box.resize(of_box.size(), 0);
  for (std::size_t i = 0; i < of_box.size(); ++i)
    chi2.of_box[i] = (chi2.of_box[i] * seeds + of_box[i]) / (seeds + 1);
  chi2.of_seed.push_back(statistic(of_box, "mean"));
}

void add_seed(ResultRow& row, const Json& model) {
  add_seed(row.linear, model.at("chi2"));
  add_seed(row.logarithmic, model.at("chi2_eq1"));
}

// Whether both are the same file or folder of the reproduction, whose own folder may have been moved since.
bool is_same(const std::string& path, const std::string& other) {
  return std::filesystem::path(path).filename() == std::filesystem::path(other).filename();
}

ResultRow network_row(const PaperPlan& plan, const Json& model) {
  const std::string run = model.at("run");
  const auto network = std::find_if(plan.networks.begin(), plan.networks.end(),
                                    [&](const PaperNetwork& one) { return is_same(one.run, run); });
  require(network != plan.networks.end(), "the run ", run, " is none of this reproduction");
  ResultRow row{network->title, RowKind::kNetwork, network->recipe, network->channels};
  if (!model.contains("members")) add_seed(row, model);
  if (model.contains("members"))
    for (const Json& member : model.at("members")) add_seed(row, member);
  return row;
}

// The row of a forest that its seeds share; its name is "forest, WAY (FILE)".
ResultRow forest_row(const PaperPlan& plan, const Json& model) {
  const std::string file = model.at("forest"), name = model.at("name");
  const std::size_t comma = name.find(", "), bracket = name.find(" (");
  const std::size_t begin = comma == std::string::npos ? 0 : comma + 2;
  ResultRow row{"", RowKind::kForest, "forest"};
  row.way = name.substr(begin, bracket == std::string::npos ? bracket : bracket - begin);
  const auto forest = std::find_if(plan.forests.begin(), plan.forests.end(),
                                   [&](const PaperForest& one) { return is_same(one.file, file); });
  require(forest != plan.forests.end(), "the forest ", file, " is none of this reproduction");
  row.recipe = "forest " + forest->target;
  row.label = concat("forest, ", row.way, row.recipe == "forest linear" ? ", of M*" : ", of log10 M*");
  return row;
}

ResultRow other_row(const Json& model) {
  const bool baseline = model.value("baseline", false);
  ResultRow row{model.at("name"), baseline ? RowKind::kBaseline : RowKind::kOracle, ""};
  row.excess = model.value("excess_chi2", 0.0);
  add_seed(row, model);
  return row;
}

Json to_json(const Chi2& chi2) {
  return {{"mean", chi2.mean()}, {"standard_error", chi2.standard_error()}, {"median", chi2.median()}};
}

Json to_json(const Difference& difference) {
  return {{"mean", difference.mean}, {"standard_error", difference.error()}};
}

void add_best_epochs(Results& results, const PaperPlan& plan) {
  from_json_file(plan.best_epochs, kEvaluation, [&](const Json& json) {
    for (const Json& model : json.at("models")) {
      if (!model.contains("run")) continue;
      const ResultRow best = network_row(plan, model);
      for (ResultRow& row : results.rows)
        if (row.label == best.label) row.best_epoch = best.linear.mean();
    }
  });
}

}  // namespace

std::string name_of(RowKind kind) {
  switch (kind) {
    case RowKind::kBaseline:
      return "baseline";
    case RowKind::kForest:
      return "forest";
    case RowKind::kNetwork:
      return "network";
    case RowKind::kOracle:
      return "oracle";
  }
  return "";
}

double Chi2::mean() const {
  return statistic(of_box, "mean");
}

double Chi2::standard_error() const {
  return statistic(of_box, "standard_error");
}

double Chi2::median() const {
  return statistic(of_box, "median");
}

std::optional<double> Chi2::scatter() const {
  return of_seed.size() > 1 ? std::optional(statistic(of_seed, "standard_deviation")) : std::nullopt;
}

double Difference::error() const {
  return std::hypot(over_boxes, over_seeds);
}

Difference difference(const Chi2& a, const Chi2& b) {
  const Json pairs = mean_and_error(paired_differences(a.of_box, b.of_box));
  const auto of_mean = [](const Chi2& chi2) {
    return chi2.scatter().value_or(0) / std::sqrt(static_cast<double>(chi2.of_seed.size()));
  };
  return {pairs.at("mean"), pairs.at("standard_error"), std::hypot(of_mean(a), of_mean(b))};
}

const ResultRow* Results::best(RowKind kind) const {
  const ResultRow* best = nullptr;
  for (const ResultRow& row : rows)
    if (row.kind == kind && (best == nullptr || row.linear.mean() < best->linear.mean())) best = &row;
  return best;
}

std::optional<double> chi2_of_paper(const ResultRow& row) {
  constexpr struct {
    std::int64_t channels;  // 0: the forest
    double chi2;
  } kTable1[] = {{0, 272}, {20, 135}, {100, 93}, {200, 84}};
  const bool forest = row.recipe == "forest linear" && row.way == "mean prediction per voxel";
  for (const auto& one : kTable1)
    if ((forest || row.recipe == "paper") && one.channels == row.channels) return one.chi2;
  return std::nullopt;
}

Results read_results(const PaperPlan& plan) {
  Results results = from_json_file(plan.evaluation, kEvaluation, [&](const Json& json) {
    Results read{{},
                 json.at("poisson_chi2"),
                 json.at("training_boxes"),
                 json.at("validation_boxes"),
                 static_cast<std::int64_t>(json.at("sigma").size()),
                 json.at("source")};
    for (const Json& model : json.at("models")) {
      if (model.contains("run")) {
        read.rows.push_back(network_row(plan, model));
      } else if (!model.contains("forest")) {
        read.rows.push_back(other_row(model));
      } else {
        const ResultRow row = forest_row(plan, model);
        auto same = std::find_if(read.rows.begin(), read.rows.end(),
                                 [&](const ResultRow& one) { return one.label == row.label; });
        if (same == read.rows.end()) same = read.rows.insert(same, row);
        add_seed(*same, model);
      }
    }
    return read;
  });
  add_best_epochs(results, plan);
  return results;
}

void write_table(const Results& results, const std::string& file) {
  const ResultRow* reference = results.best(RowKind::kBaseline);
  Json json;
  json[kFormatVersionName] = kFormatVersion;
  json["reference"] = reference->label;
  json["poisson_chi2"] = results.poisson_chi2;
  for (const ResultRow& row : results.rows) {
    Json one = {{"name", row.label},
                {"kind", name_of(row.kind)},
                {"chi2", to_json(row.linear)},
                {"chi2_eq1", to_json(row.logarithmic)}};
    if (const auto of_paper = chi2_of_paper(row)) one["chi2_of_paper"] = *of_paper;
    if (row.best_epoch) one["chi2_of_best_epoch"] = *row.best_epoch;
    if (row.linear.scatter()) {
      one["seeds"] = {{"count", row.linear.of_seed.size()}};
      one["seeds"]["chi2"] = {{"mean", row.linear.mean()}, {"scatter", *row.linear.scatter()}};
      one["seeds"]["chi2_eq1"] = {{"mean", row.logarithmic.mean()}, {"scatter", *row.logarithmic.scatter()}};
    }
    if (&row != reference) {
      one["minus_reference"]["chi2"] = to_json(difference(row.linear, reference->linear));
      one["minus_reference"]["chi2_eq1"] = to_json(difference(row.logarithmic, reference->logarithmic));
    }
    json["rows"].push_back(one);
  }
  write_text_file(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace umbra
