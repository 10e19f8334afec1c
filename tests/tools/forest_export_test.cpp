// Exported trees, evaluated as the programs that read them do, must give the forest's predictions, missing
// values included.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/philox.h"
#include "models/forest/predict.h"
#include "tools/forest/export.h"

namespace umbra {
namespace {

// A column of numbers, one with informative gaps, one that is constant except for its gaps.
struct Sample {
  std::vector<std::vector<float>> columns{3};
  ForestTable table;
  Forest forest;

  Sample() {
    constexpr std::size_t kRows = 1500;
    const Rng rng(8, Purpose::kTest);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<double> y;
    for (std::size_t i = 0; i < kRows; ++i) {
      const auto u = [&](std::size_t k) { return static_cast<float>(rng.uniform(8 * i + k)); };
      columns[0].push_back(u(0));
      columns[1].push_back(u(1) < 0.2F ? nan : u(2));
      columns[2].push_back(u(3) < 0.3F ? nan : 1.0F);
      y.push_back(static_cast<double>(columns[0][i]) + (std::isnan(columns[1][i]) ? 0.4 : 0) +
                  (std::isnan(columns[2][i]) ? 2 : 0) + 0.05 * rng.normal(8 * i + 5));
    }
    for (const char* name : {"a", "b", "c"})
      table.add(name, std::span<const float>(columns[table.names().size()]));
    ForestOptions options;
    options.trees = 12;
    options.max_depth = 8;
    forest = fit_forest({table, y, {}, {}}, options);
  }
};

double walk_json(const nlohmann::json& root, const std::map<std::string, double>& row) {
  const nlohmann::json* node = &root;
  while (node->contains("feature")) {
    const double x = row.at((*node)["feature"]);
    const nlohmann::json& threshold = (*node)["threshold"];
    const bool left = std::isnan(x) ? (*node)["missing_go_to_left"].get<bool>()
                                    : threshold == "infinity" || x <= threshold.get<double>();
    node = &(*node)[left ? "left" : "right"];
  }
  return (*node)["value"];
}

TEST(ForestExport, JsonPredictsWhatTheForestDoes) {
  const Sample sample;
  const auto json = nlohmann::json::parse(forest_json(sample.forest, "something"));
  EXPECT_EQ(json["feature_names_in"], (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(json["trees"].size(), 12U);
  const std::vector<double> expected = ForestPredictor(sample.forest).predict(sample.table);
  for (std::int64_t r = 0; r < sample.table.rows(); ++r) {
    const std::map<std::string, double> row = {
        {"a", sample.table.value(0, r)}, {"b", sample.table.value(1, r)}, {"c", sample.table.value(2, r)}};
    double sum = 0;
    for (const auto& tree : json["trees"]) sum += walk_json(tree, row);
    ASSERT_EQ(sum / 12, expected[static_cast<std::size_t>(r)]) << r;
  }
  const auto& root = json["trees"][0];
  EXPECT_EQ(root["weighted_n_node_samples"], 1500);
  EXPECT_EQ(root["left"]["n_node_samples"].get<int>() + root["right"]["n_node_samples"].get<int>(),
            root["n_node_samples"].get<int>());
  EXPECT_GT(root["impurity_decrease"].get<double>(), 0.1);
}

TEST(ForestExport, JsonThatNobodyCouldReadIsRefused) {
  Sample sample;
  const auto expect_refused = [&](const char* word) {
    try {
      forest_json(sample.forest, "something");
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  while (sample.forest.trees.size() * sample.forest.trees[0].size() <= 2 * kMostJsonNodes)
    sample.forest.trees.push_back(sample.forest.trees[0]);
  expect_refused("at most 100000");
  ForestTree chain;  // every left child is a leaf
  for (std::int32_t i = 0; i < 40'000; ++i) {
    ForestNode inner;
    inner.left = 2 * i + 1;
    if (i == 0) chain.push_back(inner);
    chain.emplace_back();
    inner.left = 2 * i + 3;
    chain.push_back(inner);
  }
  chain.back().left = -1;
  check_tree(chain, 3, "chain", 0);
  sample.forest.trees = {chain};
  expect_refused("levels");
}

// A reader of LightGBM's text: blocks of key=value lines, one per tree.
using Block = std::map<std::string, std::vector<double>>;

std::vector<Block> lightgbm_trees(const std::string& text) {
  std::vector<Block> blocks;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Tree=")) blocks.emplace_back();
    const std::size_t equals = line.find('=');
    if (blocks.empty() || equals == std::string::npos) continue;
    std::istringstream numbers(line.substr(equals + 1));
    for (std::string number; numbers >> number;)
      blocks.back()[line.substr(0, equals)].push_back(std::stod(number));
  }
  return blocks;
}

// NumericalDecision of LightGBM's include/LightGBM/tree.h.
double walk_lightgbm(Block& tree, const ForestTable& table, std::int64_t row) {
  int node = tree["num_leaves"][0] > 1 ? 0 : -1;
  while (node >= 0) {
    const auto n = static_cast<std::size_t>(node);
    const double x = table.value(static_cast<std::int64_t>(tree["split_feature"][n]), row);
    const int type = static_cast<int>(tree["decision_type"][n]);
    EXPECT_EQ(type >> 2 & 3, 2);  // NaN is missing, 0 is a number
    const bool left = std::isnan(x) ? (type & 2) != 0 : x <= tree["threshold"][n];
    node = static_cast<int>(tree[left ? "left_child" : "right_child"][n]);
  }
  return tree["leaf_value"][static_cast<std::size_t>(~node)];
}

TEST(ForestExport, LightGbmPredictsWhatTheForestDoes) {
  Sample sample;
  const ForestTree stump = truncated(sample.forest.trees[0], 1);
  sample.forest.trees.push_back({stump[1]});  // a tree that is one leaf
  sample.forest.trees[12][0].left = -1;
  const std::string text = forest_lightgbm(sample.forest);
  EXPECT_TRUE(text.starts_with("tree\nversion=v4\n"));
  EXPECT_NE(text.find("\naverage_output\n"), std::string::npos);
  EXPECT_NE(text.find("\nfeature_names=a b c\n"), std::string::npos);
  EXPECT_NE(text.find("\nmax_feature_idx=2\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("end of trees\n"));
  std::vector<Block> trees = lightgbm_trees(text);
  ASSERT_EQ(trees.size(), 13U);
  const std::vector<double> expected = ForestPredictor(sample.forest).predict(sample.table);
  for (std::int64_t r = 0; r < sample.table.rows(); ++r) {
    double sum = 0;
    for (Block& tree : trees) sum += walk_lightgbm(tree, sample.table, r);
    ASSERT_EQ(sum / 13, expected[static_cast<std::size_t>(r)]) << r;
  }
}

// LightGBM cuts the text by tree_sizes and reads the pieces side by side.
TEST(ForestExport, LightGbmSizesAreThoseOfTheTrees) {
  const Sample sample;
  const std::string text = forest_lightgbm(sample.forest), key = "tree_sizes=";
  const std::size_t line = text.find(key);
  ASSERT_NE(line, std::string::npos);
  std::istringstream sizes(text.substr(line + key.size(), text.find('\n', line) - line - key.size()));
  std::size_t at = text.find("Tree=0\n"), tree = 0;
  for (std::size_t size = 0; sizes >> size; ++tree, at += size)
    EXPECT_TRUE(text.substr(at).starts_with("Tree=" + std::to_string(tree) + "\n")) << tree;
  EXPECT_EQ(tree, 12U);
  EXPECT_EQ(text.substr(at), "end of trees\n");
}

}  // namespace
}  // namespace umbra
