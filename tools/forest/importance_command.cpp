// forest importance: how much each column, and each group of nearly identical columns, matters to a forest.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "models/forest/importance.h"
#include "tools/common/reading_line.h"
#include "tools/common/stage_line.h"
#include "tools/forest/commands.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

struct ImportanceArguments {
  std::string model, data, out;
  std::vector<std::string> groups;
  std::int64_t trees = 0;
  bool overwrite = false;
};

struct Group {
  std::string name;
  std::vector<int> columns;
};

int column_number(const Forest& forest, const std::string& name, const std::string& group) {
  const auto found = std::find(forest.features.begin(), forest.features.end(), name);
  require(found != forest.features.end(), "--group ", group, ": the forest has no column ",
          name.empty() ? "without a name" : name);
  return static_cast<int>(found - forest.features.begin());
}

Group parse_group(const Forest& forest, const std::string& text) {
  const std::size_t equals = text.find('=');
  require(equals != std::string::npos && equals > 0, "--group ", text, ": name=column,column is expected");
  Group group{text.substr(0, equals), {}};
  std::istringstream names(text.substr(equals + 1) + ",");
  for (std::string name; std::getline(names, name, ',');)
    group.columns.push_back(column_number(forest, name, text));
  const std::set<int> unique(group.columns.begin(), group.columns.end());
  require(unique.size() == group.columns.size(), "--group ", text, ": a column is named twice");
  return group;
}

// The requested groups; by default the velocities and masses of a halo, which are nearly identical: each
// alone can be replaced by the others and appears unimportant.
std::vector<Group> groups_of(const Forest& forest, const std::vector<std::string>& wanted) {
  std::vector<Group> groups;
  groups.reserve(wanted.size());
  for (const std::string& text : wanted) groups.push_back(parse_group(forest, text));
  std::set<std::string> names;
  for (const Group& group : groups)
    require(names.insert(group.name).second, "--group ", group.name, " is given twice");
  if (!groups.empty()) return groups;
  Group copies{"velocity and mass", {}};
  for (std::size_t f = 0; f < forest.features.size(); ++f) {
    for (const char* name : {"vpeak", "vacc", "mpeak", "macc", "mvir"})
      if (forest.features[f] == name) copies.columns.push_back(static_cast<int>(f));
  }
  if (copies.columns.size() > 1) groups.push_back(copies);
  return groups;
}

std::vector<double> divided(std::vector<double> values, double by) {
  for (double& value : values) value = by > 0 ? value / by : 0;
  return values;
}

Json as_json(const Importance& importance, const std::string& meaning) {
  return {{"meaning", meaning}, {"mean", importance.mean}, {"standard_error", importance.standard_error}};
}

struct Result {
  std::vector<Group> groups;
  Importance decrease, normalised, unbiased, permuted;  // permuted: columns, then groups
  bool measured = false;                                // the last two, on rows that trees did not see
};

Result measure(const ForestModel& model, const ForestHalos& halos, const std::vector<std::uint8_t>& training,
               std::vector<Group> groups, const StageReport& progress) {
  const Forest& forest = model.forest;
  Result out;
  out.groups = std::move(groups);
  out.decrease = decrease_of_variance(forest);
  const double most = *std::max_element(out.decrease.mean.begin(), out.decrease.mean.end());
  out.normalised = {divided(out.decrease.mean, most), divided(out.decrease.standard_error, most)};
  if (forest.options.bootstrap == ForestOptions::Bootstrap::kNone) return out;
  const ForestTable table = halos.table();
  const std::vector<double> target = halos.target(model.target);
  const ForestData data{table, target, {}, training};
  out.unbiased = unbiased_decrease(forest, data, progress);
  std::vector<std::vector<int>> permuted = single_columns(forest);
  for (const Group& group : out.groups) permuted.push_back(group.columns);
  out.permuted = permutation(forest, data, permuted, progress);
  out.measured = true;
  return out;
}

Json to_json(const ImportanceArguments& arguments, const ForestModel& model, const Result& result) {
  Json json = {{"format_version", kFormatVersion}, {"model", arguments.model},
               {"data", arguments.data},           {"source", model.source},
               {"target", name_of(model.target)},  {"trees", model.forest.trees.size()},
               {"features", model.forest.features}};
  json["decrease_of_variance"] =
      as_json(result.decrease, "share of the decrease of variance in the trees' own rows; sums to 1");
  json["decrease_of_variance_normalised"] = as_json(result.normalised, "the same with the largest as 1");
  if (!result.measured) return json;
  json["unbiased_decrease"] =
      as_json(result.unbiased, "decrease on rows the trees did not see, per variance of the target");
  const std::size_t columns = model.forest.features.size();
  const auto first = [&](const std::vector<double>& v) {
    return std::vector<double>(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(columns));
  };
  json["permutation"] =
      as_json({first(result.permuted.mean), first(result.permuted.standard_error)},
              "increase of the squared error when the column is permuted, per variance of the "
              "target");
  json["permutation_of_groups"] = Json::array();
  for (std::size_t g = 0; g < result.groups.size(); ++g) {
    std::vector<std::string> names;
    for (const int f : result.groups[g].columns)
      names.push_back(model.forest.features[static_cast<std::size_t>(f)]);
    json["permutation_of_groups"].push_back(
        {{"name", result.groups[g].name},
         {"columns", names},
         {"mean", result.permuted.mean[columns + g]},
         {"standard_error", result.permuted.standard_error[columns + g]}});
  }
  return json;
}

void print_table(const ForestModel& model, const Result& result) {
  const std::size_t columns = model.forest.features.size();
  std::printf("%-20s %20s %20s %20s %20s\n", "", "decrease of variance", "largest = 1",
              result.measured ? "unbiased decrease" : "", result.measured ? "permutation" : "");
  const auto print = [](const Importance& importance, std::size_t i) {
    std::printf(" %9.5f +- %7.5f", importance.mean[i], importance.standard_error[i]);
  };
  for (std::size_t f = 0; f < columns; ++f) {
    std::printf("%-20s", model.forest.features[f].c_str());
    print(result.decrease, f);
    print(result.normalised, f);
    if (result.measured) print(result.unbiased, f);
    if (result.measured) print(result.permuted, f);
    std::printf("\n");
  }
  for (std::size_t g = 0; g < result.groups.size() && result.measured; ++g) {
    std::printf("%-83s", concat("together: ", result.groups[g].name).c_str());
    print(result.permuted, columns + g);
    std::printf("\n");
  }
  std::printf("mean over %zu trees +- its standard error\n", model.forest.trees.size());
  if (!result.measured)
    std::printf("every tree saw all galaxies, so there are no measurements on unseen galaxies\n");
}

void importance(const ImportanceArguments& arguments) {
  check_writable(arguments.out, {{"--model", arguments.model}, {"--data", arguments.data}},
                 arguments.overwrite);
  ForestModel model = read_forest(arguments.model);
  Forest& forest = model.forest;
  const std::vector<Group> groups = groups_of(forest, arguments.groups);
  require(arguments.trees <= forest.options.trees, arguments.model, ": ", arguments.trees,
          " trees were requested, but the forest has ", forest.options.trees);
  const Catalog catalog = read_large_catalog(arguments.data);
  require(catalog.has("stellar_mass"), arguments.data,
          ": the catalog has no column stellar_mass; importances need the catalog the forest was fitted on");
  ForestHalos halos;
  try {
    halos = halos_for(model, catalog);
  } catch (const Error& error) {
    fail(arguments.data, ": ", error.what());
  }
  const std::vector<std::uint8_t> training = rows_seen(model, halos);
  require(!training.empty(), arguments.data, ": not the galaxies that ", arguments.model,
          " was fitted on; only for those is it known which ones a tree did not see");
  if (arguments.trees > 0) {
    forest.trees.resize(static_cast<std::size_t>(arguments.trees));
    forest.options.trees = arguments.trees;
  }
  const Result result = measure(model, halos, training, groups, StageLine().report());
  write_text_file(arguments.out, to_json(arguments, model, result).dump(2) + "\n");
  print_table(model, result);
  std::cout << "wrote " << arguments.out << '\n';
}

}  // namespace

void add_importance_command(ToolApp& app, RunCommand& run) {
  const auto arguments = std::make_shared<ImportanceArguments>();
  CLI::App* command = add_command(app, "importance", "how much each column matters to a forest");
  command->add_option("--model", arguments->model, "model written by forest fit")->required();
  command->add_option("--data", arguments->data, "the catalog (HDF5) it was fitted on")->required();
  command->add_option("--out", arguments->out, "the result (JSON)")->required();
  add_overwrite(*command, arguments->overwrite);
  command->add_option("--group", arguments->groups,
                      "columns to permute together, name=column,column; may be given several times; default: "
                      "velocities and masses");
  command->add_option("--trees", arguments->trees, "use only the first N trees, which is faster; 0: all")
      ->check(CLI::Range(std::int64_t{0}, kMostTrees));
  command->callback([&run, arguments] { run = in_first_process([arguments] { importance(*arguments); }); });
}

}  // namespace umbra
