// The descriptions of predictions, forests, evaluations, weights and data sets.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/text_reader.h"
#include "models/tasks/dataset/data_file.h"
#include "tools/common/tool.h"
#include "tools/info/kinds.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

// "run: quickstart/paper" for every attribute of the file that is there.
void add_attributes(const Hdf5File& file, std::initializer_list<const char*> keys, Description& text) {
  for (const char* key : keys) {
    const std::string value = file.remark("/", key), unit = file.remark("/", std::string(key) + "_unit");
    if (!value.empty()) text.lines.push_back(concat(key, ": ", value, unit.empty() ? "" : " ", unit));
  }
}

// "smf_predicted [200, 14] (Mpc/h)^-3 dex^-1, 0 to 0.02" for a dataset of numbers of at most 2^24 elements.
std::string dataset_line(const Hdf5File& file, const Hdf5Entry& entry) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24;
  const std::string unit = file.remark(entry.name, "unit");
  std::string line = concat(entry.name, " ", entry.shape.text(), unit.empty() ? "" : " ", unit);
  if (entry.shape.count() == 0 || entry.shape.count() > kMost) return line;
  double smallest = std::numeric_limits<double>::infinity(), largest = -smallest;
  std::int64_t bad = 0;
  for (const double value : file.read<double>(entry.name)) {
    if (!std::isfinite(value)) {
      ++bad;
      continue;
    }
    smallest = std::min(smallest, value);
    largest = std::max(largest, value);
  }
  if (smallest <= largest) line += concat(", ", smallest, " to ", largest);
  return bad > 0 ? concat(line, ", not a number: ", bad) : line;
}

void add_datasets(const Hdf5File& file, Description& text) {
  for (const Hdf5Entry& entry : file.list())
    if (entry.kind == Hdf5Kind::kFloat || entry.kind == Hdf5Kind::kInteger)
      text.lines.push_back(dataset_line(file, entry));
}

std::int64_t rows_of(const Hdf5File& file, const char* dataset) {
  const Shape shape = file.describe(dataset).shape;
  return shape.rank() > 0 ? shape[0] : 1;
}

// ", chi2 42.9", of seeds with " +- " and their scatter
std::string mean_of(const Json& model, const char* key) {
  if (!model.contains(key)) return "";
  const Json& value = model[key];
  const auto number_at = [&](const char* part) {
    return value.is_object() && value.contains(part) && value[part].is_number()
               ? std::optional(value[part].get<double>())
               : std::nullopt;
  };
  const std::optional<double> scatter = number_at("scatter");
  const std::optional<double> mean =
      value.is_number() ? std::optional(value.get<double>()) : number_at("mean");
  return mean ? concat(", ", key, " ", *mean, scatter ? concat(" +- ", *scatter) : "") : "";
}

// A model with its scores, or the seeds of an ensemble with theirs.
void add_row(const Json& row, Description& text) {
  if (!row.is_object() || !row.contains("name")) return;
  std::string line = row["name"].is_string() ? row["name"].get<std::string>() : "?";
  for (const char* key : {"chi2", "chi2_eq1", "accuracy", "error", "cross_entropy", "mse", "r2"})
    line += mean_of(row, key);
  text.lines.push_back(line);
  if (row.contains("seeds")) add_row(row["seeds"], text);
}

void add_baselines(const Json& json, Description& text) {
  const std::string metric = json["metric"].is_string() ? json["metric"].get<std::string>() : "";
  for (const Json& row : json["baselines"])
    if (row.is_object() && row.contains("name") && row["name"].is_string() && row.contains("value"))
      text.lines.push_back(concat(row["name"].get<std::string>(), ", ", metric, " ", row["value"].dump()));
}

// The folder of a run as a word of a command: that of one of its files.
std::string run_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  return shell_word(folder.empty() ? "." : folder.string());
}

std::string text_at(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

// Of parts.json.
std::string parts_of_reproduction(const Json& parts) {
  const auto finished = std::count_if(parts.begin(), parts.end(),
                                      [](const Json& part) { return text_at(part, "state") == "finished"; });
  return concat("the record of a reproduction: ", finished, " of ", parts.size(), " parts are finished");
}

// The CSV of `predict`: the row of the data set, then a class with its probabilities, or values, which have names of
// the data set. A table to import has positions.
std::optional<Description> describe_csv_of_predictions(const FileLook& file) {
  if (file.content() != Content::kText || !first_bytes(file.path(), 4).starts_with("row,"))
    return std::nullopt;
  const std::optional<Recognised> table = recognise_table(file);
  if (file.has_names({"x"}) || table->how.columns.starts_with("x=")) return std::nullopt;
  std::string names;
  for (const std::string& name : table->table->names()) names += " " + name;
  return Description{concat("predictions of ", file.has_names({"predicted"}) ? "classes" : "values",
                            " for samples of a data set, as CSV, a row per sample"),
                     {"columns:" + names}};
}

}  // namespace

std::optional<Description> describe_predictions(const FileLook& file) {
  if (!file.has_objects({"smf_predicted"})) return std::nullopt;
  Description text{
      concat("predicted stellar mass functions of ", rows_of(*file.hdf5(), "smf_predicted"), " sub-boxes")};
  add_attributes(*file.hdf5(), {"run", "source", "subbox_size"}, text);
  add_datasets(*file.hdf5(), text);
  return text;
}

std::optional<Description> describe_sample_predictions(const FileLook& file) {
  if (std::optional<Description> csv = describe_csv_of_predictions(file)) return csv;
  if (!file.has_objects({"predicted"}) || file.has_objects({"inputs"})) return std::nullopt;
  const bool classes = file.hdf5()->has("probabilities");
  Description text{concat("predictions of ", classes ? "classes" : "values", " for ",
                          rows_of(*file.hdf5(), "predicted"), " samples of a data set")};
  add_attributes(*file.hdf5(), {"run", "data"}, text);
  add_datasets(*file.hdf5(), text);
  return text;
}

std::optional<Description> describe_forest_predictions(const FileLook& file) {
  if (!file.has_objects({"log_mass_predicted"})) return std::nullopt;
  Description text{concat("stellar masses that a forest predicted for ",
                          rows_of(*file.hdf5(), "log_mass_predicted"), " halos")};
  add_attributes(*file.hdf5(), {"model", "source", "min_vpeak", "subbox_size"}, text);
  add_datasets(*file.hdf5(), text);
  return text;
}

std::optional<Description> describe_forest(const FileLook& file) {
  if (!file.has_objects({"trees"}) || file.hdf5()->remark("/", "format") != "umbra forest")
    return std::nullopt;
  const std::string path = shell_word(file.path().string());
  Description text{concat("a random forest of ", file.hdf5()->remark("/", "trees"), " trees, ",
                          rows_of(*file.hdf5(), "trees/feature"), " nodes")};
  add_attributes(*file.hdf5(),
                 {"features", "target", "max_depth", "min_samples_leaf", "split", "train_fraction", "folds",
                  "fold", "inner_folds", "inner_fold", "min_vpeak", "subbox_size", "source"},
                 text);
  text.next.push_back(concat("forest predict --model ", path, " --data FILE --out predictions.h5"));
  return text;
}

std::optional<Description> describe_data_set(const FileLook& file) {
  if (!file.has_objects({"inputs"})) return std::nullopt;
  const std::string path = shell_word(file.path().string());
  const DataFile data(file.path());
  Description text{concat("a data set of ", data.count(), " samples of shape ", data.input_shape().text())};
  if (!data.has_targets()) {
    text.lines.emplace_back("no /targets: it can be predicted on, not trained on");
    text.next.push_back(concat("predict --run RUN --data ", path, " --out predictions.h5"));
    return text;
  }
  const Targets targets = data.targets();
  std::string names;
  for (const std::string& name : targets.names) names += " " + name;
  text.lines.push_back(concat("targets: ", targets.classes > 0 ? targets.classes : targets.width,
                              targets.classes > 0 ? " classes" : " values", names.empty() ? "" : ":", names));
  if (targets.classes == 0 && !targets.numbers.empty()) {
    const auto [smallest, largest] = std::minmax_element(targets.numbers.begin(), targets.numbers.end());
    text.lines.push_back(concat("values from ", *smallest, " to ", *largest));
  }
  text.lines.push_back(data.has_split() ? "split: in the file"
                                        : "split: none, so train.split_seed chooses it");
  text.next.push_back(concat("train --data ", path, " --out run"));
  return text;
}

std::optional<Description> describe_results(const FileLook& file) {
  if (file.content() != Content::kJson) return std::nullopt;
  const Json json = Json::parse(read_text_file(file.path()), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object() || !json.contains("format_version")) return std::nullopt;
  Description text;
  if (json.contains("models") && json["models"].is_array()) {
    text.what = concat("an evaluation of ", json["models"].size(), " models");
  } else if (json.contains("fold_of_box") && json["fold_of_box"].is_array()) {
    text.what = concat("the folds of ", json["fold_of_box"].size(), " sub-boxes for a cross-validation");
  } else if (json.contains("scores")) {
    text.what = concat("a search of forests with ", json["scores"].size(), " scores");
  } else if (json.contains("decrease_of_variance")) {
    text.what = "the importances of a forest";
  } else if (json.contains("baselines") && json["baselines"].is_array() && json.contains("metric")) {
    text.what = "the baselines of a run on its validation samples";
    add_baselines(json, text);
    text.next.push_back(concat("python3 tools/plot.py loss --run ", run_of(file.path()), " --out loss"));
  } else if (json.contains("parts") && json["parts"].is_array()) {
    text.what = parts_of_reproduction(json["parts"]);
  } else if (json.contains("rows") && json["rows"].is_array() && json.contains("folds")) {
    text.what = concat("the table of reproduce --camels: ", json["rows"].size(),
                       " rows by cross-validation in ", json["folds"].dump(), " folds");
  } else if (json.contains("rows") && json["rows"].is_array() && json.contains("reference")) {
    text.what = concat("Table 1 of a reproduction: ", json["rows"].size(), " rows");
  } else {
    return std::nullopt;
  }
  if (json.contains("rows"))
    text.next.push_back(concat("python3 tools/plot.py table --evaluation ", shell_word(file.path().string()),
                               " --out table"));
  for (const char* key : {"data", "model", "source"})
    if (const std::string value = text_at(json, key); !value.empty())
      text.lines.push_back(concat(key, ": ", value));
  for (const char* key :
       {"training_boxes", "validation_boxes", "training_samples", "validation_samples", "test_samples"})
    if (json.contains(key)) text.lines.push_back(concat(key, ": ", json[key].dump()));
  if (json.contains("models"))
    for (const Json& row : json["models"]) add_row(row, text);
  if (json.contains("models") && json.contains("smf_unit"))
    text.next.push_back(
        concat("python3 tools/plot.py smf --evaluation ", shell_word(file.path().string()), " --out smf"));
  return text;
}

std::optional<Description> describe_weights(const FileLook& file) {
  if (file.content() != Content::kSafetensors) return std::nullopt;
  std::ifstream in(file.path(), std::ios::binary);
  std::uint64_t size = 0;
  in.read(reinterpret_cast<char*>(&size), sizeof size);
  constexpr std::uint64_t kMost = std::uint64_t{100} << 20;
  if (!in || size > std::min<std::uint64_t>(kMost, std::filesystem::file_size(file.path())))
    return std::nullopt;
  std::string header(size, '\0');
  in.read(header.data(), static_cast<std::streamsize>(size));
  const Json json = Json::parse(header, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) return std::nullopt;
  std::int64_t tensors = 0, numbers = 0;
  Description text;
  std::string settings;
  for (const auto& [name, tensor] : json.items()) {
    if (name == "__metadata__") {
      if (tensor.contains("config") && tensor["config"].is_string())
        settings = settings_of_network(tensor["config"].get<std::string>());
      for (const auto& [key, value] : tensor.items())
        if (value.is_string() && value.get<std::string>().find('\n') == std::string::npos)
          text.lines.push_back(concat(key, ": ", value.get<std::string>()));
      continue;
    }
    std::int64_t count = 1;
    if (tensor.is_object() && tensor.contains("shape") && tensor["shape"].is_array())
      for (const Json& extent : tensor["shape"])
        count *= extent.is_number_integer() ? extent.get<std::int64_t>() : 0;
    ++tensors;
    numbers += count;
  }
  text.what = concat("weights in safetensors: ", tensors, " tensors of ", numbers, " numbers");
  text.next.push_back(
      concat("train --weights ", shell_word(file.path().string()), " --data FILE --out run", settings));
  return text;
}

}  // namespace umbra
