#include "tools/reproduce/camels_forest.h"

#include <algorithm>

#include "engine/base/error.h"
#include "tools/common/ensemble.h"
#include "tools/common/json_file.h"
#include "tools/common/statistics.h"
#include "tools/reproduce/record.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;
using Numbers = std::vector<double>;

// Wider than the paper's grid in the size of leaves: with few columns large ones are better, and P(M* given halo) is the
// histogram of a leaf.
constexpr const char *kTrees = "500", *kDepths = "5,10", *kLeaves = "1,4,20,100";

std::string folder_of(std::int64_t fold) {
  return concat("forests/fold-", fold);
}

std::string search_name(std::int64_t fold) {
  return concat("forest-search-fold-", fold);
}
std::string search_file(const Places& places, std::int64_t fold) {
  return places.in_out(folder_of(fold) + "/search.json");
}

std::string fit_name(std::int64_t fold, std::int64_t seed) {
  return concat("forest-fold-", fold, "-seed-", seed);
}

Part forest_part(const std::string& name, const Places& places, const std::string& command,
                 const std::string& data, const std::string& out) {
  Part part{name, ""};
  part.command = {places.tool("forest"), command, "--data", data, "--out", out};
  part.inputs = {data};
  part.outputs = {out};
  return part;
}

// Adds the fold at the end, where settings are.
void add_fold(Part& part, const CamelsTableOptions& options, std::int64_t fold) {
  part.command.insert(part.command.end(), {concat("data.folds=", options.folds), concat("data.fold=", fold)});
}

Part search_part(const CamelsTableOptions& options, const Places& places, const std::string& data,
                 std::int64_t fold) {
  Part part = forest_part(search_name(fold), places, "search", data, search_file(places, fold));
  part.title = concat("forest, fold ", fold, ": the choice of settings");
  part.command.insert(part.command.end(), {"--score", "cv", "--trees", kTrees, "--max-depth", kDepths,
                                           "--min-samples-leaf", kLeaves});
  add_fold(part, options, fold);
  part.seconds = 8;
  return part;
}

// One number or list of each seed, averaged over them.
Numbers averaged(const std::vector<const Json*>& seeds, const char* score, const char* key) {
  std::vector<Numbers> all;
  for (const Json* seed : seeds) all.push_back(seed->at(score).at(key).get<Numbers>());
  return mean_and_scatter(all).mean;
}

Json scores_of(const std::vector<const Json*>& seeds, const char* score) {
  const Json stats = mean_and_error(averaged(seeds, score, "of_box"));
  Json scores;
  for (const char* key : {"mean", "standard_error", "median"}) scores[key] = stats.at(key);
  if (seeds.size() > 1) {
    std::vector<Numbers> means;
    for (const Json* seed : seeds) means.push_back({seed->at(score).at("mean").get<double>()});
    scores["scatter"] = mean_and_scatter(means).scatter[0];
    for (const Numbers& mean : means) scores["of_seed"].push_back(mean[0]);
  }
  scores["of_fold"] = averaged(seeds, score, "of_fold");
  return scores;
}

Json difference(const std::vector<const Json*>& seeds, const Json& reference) {
  Json all = {{"control", reference.at("name")}};
  for (const char* score : {"chi2", "chi2_eq1"}) {
    const Json stats = mean_and_error(paired_differences(averaged(seeds, score, "of_box"),
                                                         reference.at(score).at("of_box").get<Numbers>()));
    for (const char* key : {"mean", "standard_error", "median"}) all[score][key] = stats.at(key);
  }
  return all;
}

// "max_depth=5 min_samples_leaf=100", and so on, of each fold.
Json chosen_in(const CamelsTableOptions& options, const Places& places) {
  Json all;
  for (std::int64_t fold = 0; fold < options.folds; ++fold) {
    all.push_back(
        from_json_file(search_file(places, fold), "the result of forest search", [](const Json& json) {
          std::string text;
          for (const char* key : {"max_depth", "min_samples_leaf"})
            text += concat(text.empty() ? "" : " ", key, "=", json.at("best_cv").at(key).get<std::int64_t>());
          return text;
        }));
  }
  return all;
}

// Of a search and one fit, on average over folds and seeds.
double seconds_of(const CamelsTableOptions& options, const Places& places) {
  const std::filesystem::path file = places.out / "parts.json";
  const PartsFile records(file);
  const auto seconds = [&](const std::string& part) {
    const PartRecord* record = records.find(part);
    require(record != nullptr, file.string(), ": the part ", part, " is missing, which a finished table has");
    return record->seconds;
  };
  double sum = 0;
  for (std::int64_t fold = 0; fold < options.folds; ++fold) {
    sum += seconds(search_name(fold));
    for (std::int64_t seed = 1; seed <= options.seeds; ++seed)
      sum += seconds(fit_name(fold, seed)) / static_cast<double>(options.seeds);
  }
  return sum / static_cast<double>(options.folds);
}

}  // namespace

std::vector<Part> camels_forest_parts(const CamelsTableOptions& options, const Places& places,
                                      const std::string& data) {
  std::vector<Part> parts;
  for (std::int64_t fold = 0; fold < options.folds; ++fold) {
    parts.push_back(search_part(options, places, data, fold));
    const std::vector<std::string> files = camels_forests(options, places, fold);
    for (std::int64_t seed = 1; seed <= options.seeds; ++seed) {
      Part part =
          forest_part(fit_name(fold, seed), places, "fit", data, files[static_cast<std::size_t>(seed - 1)]);
      part.title = concat("forest, fold ", fold, " of ", options.folds, ", seed ", seed);
      const std::string best = search_file(places, fold);
      part.command.insert(part.command.end(), {"--best-of", best, "--seed", std::to_string(seed)});
      add_fold(part, options, fold);
      part.inputs.push_back(best);
      part.seconds = 2;
      parts.push_back(part);
    }
  }
  return parts;
}

std::vector<std::string> camels_forests(const CamelsTableOptions& options, const Places& places,
                                        std::int64_t fold) {
  std::vector<std::string> files;
  for (std::int64_t seed = 1; seed <= options.seeds; ++seed)
    files.push_back(places.in_out(concat(folder_of(fold), "/seed-", seed, ".h5")));
  return files;
}

std::vector<Json> camels_forest_rows(const CamelsTableOptions& options, const Places& places,
                                     const Json& models, const Json& reference) {
  std::vector<std::pair<std::string, std::vector<const Json*>>> ways;  // name of a row -> a model per seed
  for (const Json& model : models) {
    if (!model.contains("forest")) continue;
    const std::string name = model.at("name");
    const std::string way = name.substr(0, name.find(" ("));  // then comes the file, if there are several
    const auto same =
        std::find_if(ways.begin(), ways.end(), [&](const auto& one) { return one.first == way; });
    if (same == ways.end())
      ways.push_back({way, {&model}});
    else
      same->second.push_back(&model);
  }
  const Json chosen = chosen_in(options, places);
  const double seconds = seconds_of(options, places);
  std::vector<Json> rows;
  for (const auto& [way, seeds] : ways) {
    Json row = {{"row", way}, {"group", "baseline"}, {"title", way}};
    for (const char* score : {"chi2", "chi2_eq1"}) row[score] = scores_of(seeds, score);
    row["minus_control"] = difference(seeds, reference);
    row["chosen"] = chosen;
    row["seconds"] = seconds;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace umbra
