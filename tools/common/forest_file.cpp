#include "tools/common/forest_file.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "engine/base/error.h"
#include "engine/io/hdf5.h"
#include "models/forest/predict.h"
#include "tools/common/attribute_reader.h"

namespace umbra {
namespace {

constexpr const char* kFormat = "umbra forest";
constexpr std::int64_t kMostDepth = 1 << 20;
constexpr std::int64_t kMostRows = std::int64_t{1} << 28;  // limit of ForestNode::rows, as in fit_forest()

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

std::vector<std::string> separated(const std::string& text) {
  std::vector<std::string> names(1);
  for (const char c : text) {
    if (c == ',') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

// ---- the arrays over all nodes ----

template <class T, class Value>
void write_nodes(Hdf5File& file, const char* name, const Forest& forest, const Value& value) {
  std::vector<T> all;
  for (const ForestTree& tree : forest.trees)
    for (const ForestNode& node : tree) all.push_back(static_cast<T>(value(node)));
  file.write<T>(std::string("trees/") + name, all);
}

void write_trees(Hdf5File& file, const ForestModel& model) {
  const Forest& forest = model.forest;
  std::vector<std::int64_t> begin{0};
  for (const ForestTree& tree : forest.trees)
    begin.push_back(begin.back() + static_cast<std::int64_t>(tree.size()));
  file.write<std::int64_t>("trees/begin", begin);
  write_nodes<std::int32_t>(file, "feature", forest, [](const ForestNode& n) { return n.feature; });
  write_nodes<std::int32_t>(file, "left", forest, [](const ForestNode& n) { return n.left; });
  write_nodes<double>(file, "threshold", forest, [](const ForestNode& n) { return n.threshold; });
  write_nodes<double>(file, "value", forest, [](const ForestNode& n) { return n.value; });
  write_nodes<double>(file, "gain", forest, [](const ForestNode& n) { return n.gain; });
  write_nodes<double>(file, "weight", forest, [](const ForestNode& n) { return n.weight; });
  write_nodes<std::int32_t>(file, "rows", forest, [](const ForestNode& n) { return n.rows; });
  write_nodes<std::int32_t>(file, "missing_left", forest, [](const ForestNode& n) { return n.missing_left; });
  file.set_attribute("trees/left", "meaning",
                     "left child within the tree, the right child follows it; -1: a leaf");
  file.set_attribute("trees/threshold", "meaning", "rows with value <= threshold go left");
  file.set_attribute("trees/value", "unit", model.target == ForestTarget::kLog10 ? "log10 M*/Msun" : "Msun");
}

// Reads one array; `put(node, number)` stores a number and returns whether it is valid.
template <class T, class Put>
void read_nodes(const Hdf5File& file, const std::string& name, std::int64_t nodes, Forest& forest,
                const Put& put) {
  const std::vector<T> all = file.read<T>("trees/" + name, Shape{nodes});
  std::size_t at = 0;
  for (std::size_t t = 0; t < forest.trees.size(); ++t) {
    for (std::size_t i = 0; i < forest.trees[t].size(); ++i, ++at) {
      require(put(forest.trees[t][i], all[at]), file.path().string(), ": trees/", name, " of node ", i,
              " of tree ", t, " is ", all[at], ", which is invalid");
    }
  }
}

void read_shape(const Hdf5File& file, Forest& forest, std::int64_t& nodes) {
  const std::string where = file.path().string();
  const std::vector<std::int64_t> begin = file.read<std::int64_t>("trees/begin");
  const auto trees = static_cast<std::int64_t>(begin.size()) - 1;
  require(trees == forest.options.trees, where, ": trees/begin is for ", trees,
          " trees, but the attribute trees is ", forest.options.trees);
  file.read_part<std::int32_t>("trees/left", 0, {});  // checks that the file contains the bytes
  nodes = file.describe("trees/left").shape.count();
  require(begin.front() == 0 && begin.back() == nodes, where, ": trees/begin goes from ", begin.front(),
          " to ", begin.back(), ", 0 to ", nodes, " is expected");
  for (std::size_t t = 0; t + 1 < begin.size(); ++t) {
    require(begin[t + 1] > begin[t] && begin[t + 1] - begin[t] <= std::numeric_limits<std::int32_t>::max(),
            where, ": trees/begin of tree ", t, " is ", begin[t], ", of tree ", t + 1, " it is ",
            begin[t + 1], "; every tree must have at least one node");
    require(begin[t + 1] <= nodes, where, ": trees/begin of tree ", t + 1, " is ", begin[t + 1],
            ", but there are ", nodes, " nodes");
  }
  for (std::size_t t = 0; t + 1 < begin.size(); ++t)
    forest.trees.emplace_back(static_cast<std::size_t>(begin[t + 1] - begin[t]));
}

void read_trees(const Hdf5File& file, Forest& forest) {
  std::int64_t nodes = 0;
  read_shape(file, forest, nodes);
  const auto features = static_cast<std::int32_t>(forest.features.size());
  read_nodes<std::int32_t>(file, "left", nodes, forest,
                           [](ForestNode& n, std::int32_t v) { return n.left = v, v >= -1; });
  read_nodes<std::int32_t>(file, "feature", nodes, forest, [&](ForestNode& n, std::int32_t v) {
    return n.feature = static_cast<std::uint16_t>(v), v >= 0 && v < features;
  });
  read_nodes<double>(file, "threshold", nodes, forest,
                     [](ForestNode& n, double v) { return n.threshold = v, !std::isnan(v); });
  read_nodes<double>(file, "value", nodes, forest,
                     [](ForestNode& n, double v) { return n.value = v, std::isfinite(v); });
  read_nodes<double>(file, "gain", nodes, forest,
                     [](ForestNode& n, double v) { return n.gain = v, std::isfinite(v) && v >= 0; });
  read_nodes<double>(file, "weight", nodes, forest,
                     [](ForestNode& n, double v) { return n.weight = v, std::isfinite(v) && v > 0; });
  read_nodes<std::int32_t>(file, "rows", nodes, forest,
                           [](ForestNode& n, std::int32_t v) { return n.rows = v, v > 0 && v < kMostRows; });
  read_nodes<std::int32_t>(file, "missing_left", nodes, forest, [](ForestNode& n, std::int32_t v) {
    return n.missing_left = v != 0, v == 0 || v == 1;
  });
  for (std::size_t t = 0; t < forest.trees.size(); ++t)
    check_tree(forest.trees[t], features, file.path().string(), static_cast<std::int64_t>(t));
}

// ---- the attributes ----

void write_attributes(Hdf5File& file, const ForestModel& model) {
  const ForestOptions& o = model.forest.options;
  const auto set = [&](const char* key, const auto& value) { file.set_attribute("/", key, value); };
  set("format", kFormat);
  set("features", joined(model.forest.features));
  set("target", name_of(model.target));
  set("trees", o.trees);
  set("max_depth", o.max_depth);
  set("min_samples_leaf", o.min_samples_leaf);
  set("max_features", o.max_features);
  set("max_leaf_nodes", o.max_leaf_nodes);
  set("extra_trees", o.extra_trees ? 1 : 0);
  set("search", std::string(name_of(o.search)));
  set("bootstrap", std::string(name_of(o.bootstrap)));
  set("seed", static_cast<std::int64_t>(o.seed));  // the same 64 bits
  set("min_vpeak", model.min_vpeak);
  set("min_vpeak_unit", "km/s");
  set("subbox_size", model.subbox_size);
  set("subbox_size_unit", "Mpc/h");
  set("split", name_of(model.split.by));
  set("train_fraction", model.split.rule.train_fraction);
  set("split_seed", static_cast<std::int64_t>(model.split.rule.seed));
  set("folds", model.split.rule.folds);
  set("fold", model.split.rule.fold);
  set("inner_folds", model.split.rule.inner_folds);
  set("inner_fold", model.split.rule.inner_fold);
  set("source", model.source);
  set("boxes", model.boxes);
  set("fingerprint", std::span<const double>(model.fingerprint));
}

void read_features(const AttributeReader& read, const std::string& where, Forest& forest) {
  forest.features = separated(read.text("features"));
  const auto is_name = [](const std::string& name) {
    const auto belongs = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.empty() && std::all_of(name.begin(), name.end(), belongs);
  };
  const std::set<std::string> unique(forest.features.begin(), forest.features.end());
  require(unique.size() == forest.features.size() && std::all_of(unique.begin(), unique.end(), is_name),
          where, ": the attribute features is not a list of distinct column names");
  require(static_cast<std::int64_t>(forest.features.size()) <= kMostFeatures, where,
          ": the attribute features names ", forest.features.size(), " columns, at most ", kMostFeatures,
          " are supported");
}

ForestOptions read_options(const AttributeReader& read, std::int64_t features) {
  ForestOptions o;
  o.trees = read.integer("trees", 1, kMostTrees);
  o.max_depth = static_cast<int>(read.integer("max_depth", 0, kMostDepth));
  o.min_samples_leaf = read.integer("min_samples_leaf", 1, std::numeric_limits<std::int64_t>::max());
  o.max_features = read.integer("max_features", 0, features);
  o.max_leaf_nodes = read.integer("max_leaf_nodes", 0, std::numeric_limits<std::int64_t>::max());
  o.extra_trees = read.integer("extra_trees", 0, 1) != 0;
  o.search = read.choice("search", forest_search);
  o.bootstrap = read.choice("bootstrap", forest_bootstrap);
  o.seed = read.seed("seed");
  return o;
}

void read_origin(const AttributeReader& read, const Hdf5File& file, ForestModel& model) {
  const std::string where = file.path().string();
  model.target = read.choice("target", forest_target);
  model.min_vpeak = read.number("min_vpeak", 0, 1e9);
  model.subbox_size = read.number("subbox_size", 1e-6, 1e9);
  model.split.by = read.choice("split", forest_split);
  model.split.rule.train_fraction = read.number("train_fraction", std::numeric_limits<double>::min(), 1);
  model.split.rule.seed = read.seed("split_seed");
  const auto read_fold = [&](const char* folds, std::int64_t& of, const char* fold, std::int64_t& number) {
    constexpr auto kMany = std::int64_t{1000000000};
    if (!file.has_attribute("/", folds)) return;  // files of older releases have none
    of = read.integer(folds, 0, kMany);
    number = read.integer(fold, 0, std::max<std::int64_t>(of - 1, 0));
  };
  read_fold("folds", model.split.rule.folds, "fold", model.split.rule.fold);
  read_fold("inner_folds", model.split.rule.inner_folds, "inner_fold", model.split.rule.inner_fold);
  if (file.has("validation_boxes")) model.split.rule.validation = file.read<std::int64_t>("validation_boxes");
  model.source = file.remark("/", "source");
  model.boxes = read.integer("boxes", 1, std::numeric_limits<std::int64_t>::max());
  model.fingerprint = file.attribute_numbers("/", "fingerprint");
  require(model.fingerprint.size() == 2, where, ": the attribute fingerprint has ", model.fingerprint.size(),
          " numbers, 2 are expected");
  model.training_boxes = file.read<std::int64_t>("training_boxes");
  std::int64_t before = -1;
  for (const std::int64_t box : model.training_boxes) {
    require(box > before && box < model.boxes, where, ": training_boxes contains ", box, " after ", before,
            "; they must ascend and be less than ", model.boxes);
    before = box;
  }
}

}  // namespace

void write_forest(const std::filesystem::path& path, const ForestModel& model) {
  Hdf5File file = Hdf5File::create(path);
  write_attributes(file, model);
  write_trees(file, model);
  file.write<std::int64_t>("training_boxes", model.training_boxes);
  if (!model.split.rule.validation.empty())
    file.write<std::int64_t>("validation_boxes", model.split.rule.validation);
  file.commit();
}

ForestModel read_forest(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open(path);
  const std::string where = path.string();
  const AttributeReader read(file);
  file.check_format_version();
  require(file.has_attribute("/", "format") && read.text("format") == kFormat, where,
          ": not a forest: a file written by forest fit is expected");
  ForestModel model;
  read_features(read, where, model.forest);
  model.forest.options = read_options(read, static_cast<std::int64_t>(model.forest.features.size()));
  read_origin(read, file, model);
  read_trees(file, model.forest);
  return model;
}

ForestOptions::Search forest_search(const std::string& name) {
  using Search = ForestOptions::Search;
  for (const Search search : {Search::kBinned8, Search::kBinned16, Search::kExact})
    if (name == name_of(search)) return search;
  fail("search: binned8, binned16 or exact is expected, not ", name);
}

ForestOptions::Bootstrap forest_bootstrap(const std::string& name) {
  using Bootstrap = ForestOptions::Bootstrap;
  for (const Bootstrap bootstrap : {Bootstrap::kMultinomial, Bootstrap::kPoisson, Bootstrap::kNone})
    if (name == name_of(bootstrap)) return bootstrap;
  fail("bootstrap: multinomial, poisson or none is expected, not ", name);
}

ForestHalos halos_for(const ForestModel& model, const Catalog& catalog, HaloChoice choice) {
  return forest_halos(catalog, model.forest.features, model.min_vpeak, model.subbox_size, choice);
}

std::vector<std::uint8_t> rows_seen(const ForestModel& model, const ForestHalos& halos) {
  const bool has_galaxy = std::any_of(halos.log_mass.begin(), halos.log_mass.end(),
                                      [](double mass) { return !std::isnan(mass); });
  if (!has_galaxy || halos.boxes != model.boxes) return {};
  std::vector<std::uint8_t> training(halos.log_mass.size());
  try {
    training = training_rows(halos, model.split);
  } catch (const Error&) {
    return {};  // with this split no row of these halos is left to train on
  }
  return forest_fingerprint(halos, training) == model.fingerprint ? training : std::vector<std::uint8_t>();
}

}  // namespace umbra
