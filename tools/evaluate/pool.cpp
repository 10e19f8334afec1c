#include "tools/evaluate/pool.h"

#include <algorithm>
#include <iostream>

#include "engine/io/format_version.h"
#include "tools/common/ensemble.h"
#include "tools/common/json_file.h"
#include "tools/common/tool.h"
#include "tools/evaluate/scorer.h"
#include "tools/evaluate/smf_table.h"
#include "tools/evaluate/tasks.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;
using Numbers = std::vector<double>;
using Folds = std::vector<FoldResult>;

constexpr const char* kScores[] = {"chi2", "chi2_eq1"};
// What must be equal in all folds.
constexpr const char* kShared[] = {
    "source", "epoch", "bin_edges_log10_msun", "smf_unit", "h", "subbox_size_mpc_per_h", "sigma"};

/// "a/fold-*" of "a/fold-3".
std::string without_fold(std::string name) {
  const std::string word = "fold";
  for (std::size_t at = 0; (at = name.find(word, at)) != std::string::npos;) {
    at += word.size();
    if (at < name.size() && (name[at] == '-' || name[at] == '_')) ++at;
    const std::size_t end = std::min(name.find_first_not_of("0123456789", at), name.size());
    if (end > at) name.replace(at, end - at, "*");
  }
  return name;
}

std::int64_t boxes_of(const FoldResult& fold) {
  return fold.content["training_boxes"].get<std::int64_t>() +
         fold.content["validation_boxes"].get<std::int64_t>();
}

// For every fold and its boxes, their places in the order of all boxes. Checks that every box validates once.
std::vector<std::vector<std::size_t>> places_of(const Folds& folds) {
  const std::int64_t count = boxes_of(folds.front());
  std::vector<const FoldResult*> holder(static_cast<std::size_t>(count), nullptr);
  std::vector<std::vector<std::size_t>> places;
  for (const FoldResult& fold : folds) {
    require(boxes_of(fold) == count, fold.file, ": a fold of ", boxes_of(fold), " boxes, but ",
            folds.front().file, " is one of ", count, "; the folds must be of the same catalog");
    const bool is_again =
        std::any_of(folds.data(), &fold, [&](const FoldResult& before) { return before.file == fold.file; });
    require(!is_again, fold.file, ": the file is given twice; every box must be in one fold");
    places.push_back(fold.content["validation"].get<std::vector<std::size_t>>());
    for (const std::size_t box : places.back()) {
      require(box < holder.size(), fold.file, ": validation names box ", box, ", but there are only ", count);
      require(holder[box] == nullptr, "box ", box, " validates in ",
              holder[box] == nullptr ? "" : holder[box]->file, " and in ", fold.file,
              "; every box must be in one fold");
      holder[box] = &fold;
    }
  }
  const auto missing = std::count(holder.begin(), holder.end(), nullptr);
  require(missing == 0, missing, " of ", count, " boxes, the first of them box ",
          std::find(holder.begin(), holder.end(), nullptr) - holder.begin(), ", validate in none of the ",
          folds.size(), " files; a fold is missing");
  return places;
}

// The rows of one model, one per fold.
class RowOfFolds {
 public:
  RowOfFolds(const Folds& folds, const std::vector<std::vector<std::size_t>>& places, const std::string& name)
      : folds_(folds), places_(places) {
    for (const FoldResult& fold : folds) {
      const Json* found = nullptr;
      for (const Json& model : fold.content["models"]) {
        if (without_fold(model["name"].get<std::string>()) != name) continue;
        require(found == nullptr, fold.file, ": two rows are called '", name, "'");
        found = &model;
      }
      require(found != nullptr, fold.file, ": there is no row '", name, "', which ", folds.front().file,
              " has; the folds must have the same models, in folders or files that differ only in the number "
              "after 'fold'");
      rows_.push_back(found);
      require(members(*found) == members(*rows_.front()), fold.file, ": '", name, "' has ", members(*found),
              " seeds, but ", members(*rows_.front()), " in ", folds.front().file);
    }
  }

  Json json() const {
    const Json& first = *rows_.front();
    Json row = {{"name", without_fold(first["name"].get<std::string>())}};
    for (const char* key : {"run", "forest"})
      if (first.contains(key)) row[key] = without_fold(first[key].get<std::string>());
    for (const char* key : {"baseline", "oracle"})
      if (first.contains(key)) row[key] = first[key];
    if (first.contains("excess_chi2")) row["excess_chi2"] = over_folds("excess_chi2");
    if (first.contains("seconds")) {
      double seconds = 0;
      for (const Json* of : rows_) seconds += of->value("seconds", 0.0);
      row["seconds"] = seconds;
    }
    for (const char* score : kScores) {
      row[score] = over_boxes([&](const Json& of) -> const Json& { return of[score]; });
      for (const Json* of : rows_) row[score]["of_fold"].push_back((*of)[score]["mean"]);
    }
    if (members(first) > 0) row["seeds"] = seeds();
    return row;
  }

 private:
  // The mean over boxes of a number that is a mean over the boxes of a fold.
  double over_folds(const char* key) const {
    double sum = 0, boxes = 0;
    for (std::size_t f = 0; f < rows_.size(); ++f) {
      const auto here = static_cast<double>(places_[f].size());
      sum += (*rows_[f])[key].get<double>() * here;
      boxes += here;
    }
    return sum / boxes;
  }

  static std::size_t members(const Json& row) { return row.contains("members") ? row["members"].size() : 0; }

  template <class Scores>  // the scores of the row of one fold -> an object with of_box
  Numbers of_box(const Scores& scores) const {
    std::size_t count = 0;
    for (const auto& boxes : places_) count += boxes.size();
    Numbers all(count);
    for (std::size_t f = 0; f < rows_.size(); ++f) {
      const Json& of = scores(*rows_[f]);
      require(of.contains("of_box") && of["of_box"].size() == places_[f].size(), folds_[f].file,
              ": of_box of '", (*rows_[f])["name"].template get<std::string>(), "' must have ",
              places_[f].size(), " numbers, one per box of validation");
      for (std::size_t i = 0; i < places_[f].size(); ++i)
        all[places_[f][i]] = of["of_box"][i].template get<double>();
    }
    return all;
  }
  template <class Scores>
  Json over_boxes(const Scores& scores) const {
    return with_boxes(of_box(scores));
  }
  static Json with_boxes(const Numbers& values) {
    Json stats = mean_and_error(values);
    stats["of_box"] = values;
    return stats;
  }

  Json seeds() const {
    const std::size_t count = members(*rows_.front());
    Json all = {{"name", without_fold((*rows_.front())["seeds"]["name"].get<std::string>())},
                {"count", count}};
    for (const char* score : kScores) {
      std::vector<Numbers> means;
      Numbers average;
      for (std::size_t m = 0; m < count; ++m) {
        const Numbers own = of_box([&](const Json& of) -> const Json& { return of["members"][m][score]; });
        average.resize(own.size());
        for (std::size_t box = 0; box < own.size(); ++box)
          average[box] += own[box] / static_cast<double>(count);
        means.push_back({mean_and_error(own)["mean"].get<double>()});
      }
      all[score] = with_boxes(average);
      for (const auto& boxes : places_) {
        double sum = 0;
        for (const std::size_t box : boxes) sum += average[box];
        all[score]["of_fold"].push_back(sum / static_cast<double>(boxes.size()));
      }
      all[score]["scatter"] = mean_and_scatter(means).scatter[0];
      for (const Numbers& mean : means) all[score]["of_seed"].push_back(mean[0]);
    }
    return all;
  }

  const Folds& folds_;
  const std::vector<std::vector<std::size_t>>& places_;
  std::vector<const Json*> rows_;
};

// Takes what is read from a row of evaluate.
void check_row(const Json& row) {
  row.at("name").get<std::string>();
  for (const char* score : kScores) {
    row.at(score).at("mean").get<double>();
    row.at(score).at("of_box").get<Numbers>();
  }
  if (!row.contains("members")) return;
  row.at("seeds").at("name").get<std::string>();
  for (const Json& member : row.at("members")) check_row(member);
}

void check_shared(const Folds& folds) {
  for (const FoldResult& fold : folds)
    for (const char* key : kShared)
      require(fold.content.value(key, Json()) == folds.front().content.value(key, Json()), fold.file, ": ",
              key, " is ", fold.content.value(key, Json()).dump(), ", but ",
              folds.front().content.value(key, Json()).dump(), " in ", folds.front().file);
}

}  // namespace

FoldResult read_fold_result(const std::string& file) {
  return from_json_file(file, "the result of evaluate on a catalog", [&](const Json& json) {
    json.at(kFormatVersionName);
    for (const char* key : {"training_boxes", "validation_boxes"}) json.at(key).get<std::int64_t>();
    json.at("validation").get<std::vector<std::size_t>>();
    json.at("poisson_chi2").get<double>();
    for (const Json& model : json.at("models")) check_row(model);
    return FoldResult{file, json};
  });
}

Json pooled(const Folds& folds) {
  check_shared(folds);
  const auto places = places_of(folds);
  Json result = {{"format_version", kFormatVersion}};
  for (const char* key : kShared)
    if (folds.front().content.contains(key)) result[key] = folds.front().content[key];
  const std::int64_t count = boxes_of(folds.front());
  result["validation_boxes"] = count;
  double poisson = 0;
  for (const FoldResult& fold : folds) {
    const auto boxes = fold.content["validation_boxes"].get<double>();
    result["folds"].push_back({{"file", fold.file}, {"validation_boxes", boxes}});
    poisson += fold.content["poisson_chi2"].get<double>() * boxes / static_cast<double>(count);
  }
  result["poisson_chi2"] = poisson;
  for (std::int64_t box = 0; box < count; ++box) result["validation"].push_back(box);
  for (const FoldResult& fold : folds)
    require(fold.content["models"].size() == folds.front().content["models"].size(), fold.file, ": ",
            fold.content["models"].size(), " rows, but ", folds.front().content["models"].size(), " in ",
            folds.front().file, "; the folds must have the same models");
  for (const Json& model : folds.front().content["models"])
    result["models"].push_back(
        RowOfFolds(folds, places, without_fold(model["name"].get<std::string>())).json());
  return result;
}

void pool_smf(const EvaluateArguments& arguments) {
  std::vector<InputFile> inputs;
  for (const std::string& file : arguments.pool) inputs.push_back({"--pool", file});
  check_writable(arguments.out, inputs, arguments.overwrite);
  Folds folds;
  for (const std::string& file : arguments.pool) folds.push_back(read_fold_result(file));
  Json result = pooled(folds);
  add_differences(result, arguments.reference);
  write_json(arguments.out, result);
  std::cout << smf_table(result);
}

}  // namespace umbra
