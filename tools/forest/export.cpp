#include "tools/forest/export.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/format_version.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

// ---- JSON ----

int depth_of(const ForestTree& tree) {
  std::vector<int> level(tree.size(), 0);
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (tree[i].leaf()) continue;
    const auto left = static_cast<std::size_t>(tree[i].left);
    level[left] = level[left + 1] = level[i] + 1;
  }
  return *std::max_element(level.begin(), level.end());
}

// Children come after their parents, so nodes are nested from the last to the first.
Json nested(const ForestTree& tree, const std::vector<std::string>& features) {
  std::vector<Json> nodes(tree.size());
  for (std::size_t i = tree.size(); i-- > 0;) {
    const ForestNode& from = tree[i];
    Json& node = nodes[i];
    if (!from.leaf()) {
      node["feature"] = features[from.feature];
      node["threshold"] = from.threshold;
      if (std::isinf(from.threshold)) node["threshold"] = from.threshold > 0 ? "infinity" : "-infinity";
      node["missing_go_to_left"] = from.missing_left;
      node["impurity_decrease"] = from.gain / tree[0].weight;
    }
    node["value"] = from.value;
    node["n_node_samples"] = from.rows;
    node["weighted_n_node_samples"] = from.weight;
    if (from.leaf()) continue;
    const auto left = static_cast<std::size_t>(from.left);
    node["left"] = std::move(nodes[left]);
    node["right"] = std::move(nodes[left + 1]);
  }
  return std::move(nodes[0]);
}

// ---- LightGBM ----

// The shortest text that converts back to the same number.
std::string exact(double value) {
  value = std::clamp(value, std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max());
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}
std::string exact(std::int64_t value) {
  return std::to_string(value);
}

template <class Value>
void line(std::string& text, const char* key, const ForestTree& tree, const std::vector<std::size_t>& nodes,
          const Value& value) {
  text += key;
  char before = '=';
  for (const std::size_t node : nodes) {
    text += before;
    text += exact(value(tree[node]));
    before = ' ';
  }
  if (nodes.empty()) text += '=';
  text += '\n';
}

// LightGBM numbers inner nodes and leaves separately; a negative child is the leaf ~child.
std::string lightgbm_tree(const ForestTree& tree, std::size_t number) {
  std::vector<std::size_t> inner, leaves;
  std::vector<std::int64_t> name(tree.size());
  for (std::size_t i = 0; i < tree.size(); ++i) {
    std::vector<std::size_t>& kind = tree[i].leaf() ? leaves : inner;
    const auto at = static_cast<std::int64_t>(kind.size());
    name[i] = tree[i].leaf() ? ~at : at;
    kind.push_back(i);
  }
  constexpr std::int64_t kMissingIsNan = 2 << 2, kDefaultLeft = 2;  // bits of decision_type
  const auto child = [&](std::int32_t at) { return name[static_cast<std::size_t>(at)]; };
  const auto whole = [](double weight) { return static_cast<std::int64_t>(std::llround(weight)); };
  std::string text = concat("Tree=", number, "\nnum_leaves=", leaves.size(), "\nnum_cat=0\n");
  line(text, "split_feature", tree, inner, [](const ForestNode& n) { return std::int64_t{n.feature}; });
  line(text, "split_gain", tree, inner, [](const ForestNode& n) { return n.gain; });
  line(text, "threshold", tree, inner, [](const ForestNode& n) { return n.threshold; });
  line(text, "decision_type", tree, inner,
       [](const ForestNode& n) { return kMissingIsNan | (n.missing_left ? kDefaultLeft : 0); });
  line(text, "left_child", tree, inner, [&](const ForestNode& n) { return child(n.left); });
  line(text, "right_child", tree, inner, [&](const ForestNode& n) { return child(n.left + 1); });
  line(text, "leaf_value", tree, leaves, [](const ForestNode& n) { return n.value; });
  line(text, "leaf_weight", tree, leaves, [](const ForestNode& n) { return n.weight; });
  line(text, "leaf_count", tree, leaves, [&](const ForestNode& n) { return whole(n.weight); });
  line(text, "internal_value", tree, inner, [](const ForestNode& n) { return n.value; });
  line(text, "internal_weight", tree, inner, [](const ForestNode& n) { return n.weight; });
  line(text, "internal_count", tree, inner, [&](const ForestNode& n) { return whole(n.weight); });
  return text + "is_linear=0\nshrinkage=1\n\n\n";
}

}  // namespace

std::string forest_json(const Forest& forest, const std::string& target) {
  std::int64_t nodes = 0;
  for (std::size_t t = 0; t < forest.trees.size(); ++t) {
    nodes += static_cast<std::int64_t>(forest.trees[t].size());
    const int depth = depth_of(forest.trees[t]);
    require(depth <= kMostJsonLevels, "json: tree ", t, " has ", depth, " levels, at most ", kMostJsonLevels,
            " can be nested");
  }
  require(nodes <= kMostJsonNodes, "json: the ", forest.trees.size(), " trees have ", nodes,
          " nodes, at most ", kMostJsonNodes,
          " can be written; use fewer trees (--trees) or --format lightgbm");
  Json json = {{"format_version", kFormatVersion},
               {"feature_names_in", forest.features},
               {"target", target},
               {"trees", Json::array()}};
  for (const ForestTree& tree : forest.trees) json["trees"].push_back(nested(tree, forest.features));
  return json.dump(1) + "\n";
}

std::string forest_lightgbm(const Forest& forest) {
  std::vector<std::string> trees;
  for (const ForestTree& tree : forest.trees) trees.push_back(lightgbm_tree(tree, trees.size()));
  std::string text =
      concat("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=",
             forest.features.size() - 1, "\nobjective=regression\naverage_output\nfeature_names");
  for (std::size_t f = 0; f < forest.features.size(); ++f) text += (f == 0 ? '=' : ' ') + forest.features[f];
  text += "\nfeature_infos";
  for (std::size_t f = 0; f < forest.features.size(); ++f) text += f == 0 ? "=none" : " none";
  text += "\ntree_sizes";
  for (std::size_t t = 0; t < trees.size(); ++t)
    text += (t == 0 ? '=' : ' ') + std::to_string(trees[t].size());
  text += "\n\n";
  for (const std::string& tree : trees) text += tree;
  return text + "end of trees\n";
}

}  // namespace umbra
