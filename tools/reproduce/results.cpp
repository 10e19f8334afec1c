#include "tools/reproduce/results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "engine/io/text_reader.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  double squares = 0;
  for (const double value : values) squares += std::pow(value - mean_of(values), 2);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// Adds one seed to a row that has had `seeds` of them.
void add_seed(Chi2& chi2, const Json& json) {
  const auto of_box = json.at("of_box").get<std::vector<double>>();
  const auto seeds = static_cast<double>(chi2.of_seed.size());
  chi2.of_box.resize(of_box.size(), 0);
  for (std::size_t i = 0; i < of_box.size(); ++i)
    chi2.of_box[i] = (chi2.of_box[i] * seeds + of_box[i]) / (seeds + 1);
  chi2.of_seed.push_back(mean_of(of_box));
}

void add_seed(ResultRow& row, const Json& model) {
  add_seed(row.linear, model.at("chi2"));
  add_seed(row.logarithmic, model.at("chi2_eq1"));
}

ResultRow network_row(const PaperPlan& plan, const Json& model) {
  const std::string run = model.at("run");
  ResultRow row{model.at("name"), RowKind::kNetwork, run};
  for (const PaperNetwork& network : plan.networks) {
    if (network.run != run) continue;
    row.label = network.title;
    row.recipe = network.recipe;
    row.channels = network.channels;
  }
  if (!model.contains("members")) add_seed(row, model);
  if (model.contains("members"))
    for (const Json& member : model.at("members")) add_seed(row, member);
  return row;
}

// The row of a forest that its seeds share; its name is "forest, WAY (FILE)".
ResultRow forest_row(const PaperPlan& plan, const Json& model) {
  const std::string file = model.at("forest"), name = model.at("name");
  const std::size_t comma = name.find(", "), bracket = name.rfind(" (");
  const std::size_t begin = comma == std::string::npos ? 0 : comma + 2;
  ResultRow row{"", RowKind::kForest, "forest"};
  row.way = name.substr(begin, bracket == std::string::npos ? bracket : bracket - begin);
  for (const PaperForest& forest : plan.forests)
    if (forest.file == file) row.recipe = "forest " + forest.target;
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
  return mean_of(of_box);
}

double Chi2::standard_error() const {
  return deviation_of(of_box) / std::sqrt(static_cast<double>(of_box.size()));
}

double Chi2::median() const {
  std::vector<double> sorted = of_box;
  std::sort(sorted.begin(), sorted.end());
  return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
}

std::optional<double> Chi2::scatter() const {
  return of_seed.size() > 1 ? std::optional(deviation_of(of_seed)) : std::nullopt;
}

double Difference::error() const {
  return std::hypot(over_boxes, over_seeds);
}

Difference difference(const Chi2& a, const Chi2& b) {
  require(a.of_box.size() == b.of_box.size(), "two rows have other validation boxes: ", a.of_box.size(),
          " and ", b.of_box.size());
  std::vector<double> pairs = a.of_box;
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] -= b.of_box[i];
  const auto of_mean = [](const Chi2& chi2) {
    return chi2.scatter().value_or(0) / std::sqrt(static_cast<double>(chi2.of_seed.size()));
  };
  return {mean_of(pairs), deviation_of(pairs) / std::sqrt(static_cast<double>(pairs.size())),
          std::hypot(of_mean(a), of_mean(b))};
}

const ResultRow* Results::best(RowKind kind) const {
  const ResultRow* best = nullptr;
  for (const ResultRow& row : rows)
    if (row.kind == kind && (best == nullptr || row.linear.mean() < best->linear.mean())) best = &row;
  return best;
}

Results read_results(const PaperPlan& plan) {
  const std::string text = read_text_file(plan.evaluation);
  try {
    const Json json = Json::parse(text);
    check_format_version(json.at(kFormatVersionName), plan.evaluation);
    Results results{{},
                    json.at("poisson_chi2"),
                    json.at("training_boxes"),
                    json.at("validation_boxes"),
                    static_cast<std::int64_t>(json.at("sigma").size()),
                    json.at("source")};
    for (const Json& model : json.at("models")) {
      if (model.contains("run")) {
        results.rows.push_back(network_row(plan, model));
      } else if (!model.contains("forest")) {
        results.rows.push_back(other_row(model));
      } else {
        const ResultRow row = forest_row(plan, model);
        auto same = std::find_if(results.rows.begin(), results.rows.end(),
                                 [&](const ResultRow& one) { return one.label == row.label; });
        if (same == results.rows.end()) same = results.rows.insert(same, row);
        add_seed(*same, model);
      }
    }
    return results;
  } catch (const std::exception& error) {
    fail(plan.evaluation, ": the result of evaluate was expected (", error.what(), ")");
  }
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
