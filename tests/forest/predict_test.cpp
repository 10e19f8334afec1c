// Predictions by every fast method against walks of single rows on values: codes of 8, 16 and 32 bits,
// vectors, deep trees, sorted rows, runs of trees.
#include "models/forest/predict.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "engine/base/philox.h"
#include "models/forest/walk_packed.h"
#include "models/forest/walk_ranks.h"

namespace umbra {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Draws in order.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : rng_(seed, Purpose::kTest) {}
  double uniform() { return rng_.uniform(next_++); }
  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(end));
  }

 private:
  Rng rng_;
  std::uint64_t next_ = 0;
};

struct TreeShape {
  int columns = 8, depth = 10;
  double stop = 0.1;            // share of nodes that are leaves before the last level
  std::int64_t thresholds = 0;  // different ones per column; 0: a continuum
};

// A tree of random splits. No data would produce it, which makes it a harder test.
ForestTree random_tree(const TreeShape& shape, Draws& draws) {
  ForestTree tree(1);
  std::vector<int> level{0};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    tree[i].value = draws.uniform() - 0.5;
    if (level[i] == shape.depth || (i > 0 && draws.uniform() < shape.stop)) continue;
    tree[i].feature = static_cast<std::uint16_t>(draws.below(shape.columns));
    tree[i].threshold = shape.thresholds == 0 ? draws.uniform()
                                              : static_cast<double>(draws.below(shape.thresholds)) /
                                                    static_cast<double>(shape.thresholds);
    if (draws.uniform() < 0.01) tree[i].threshold = kInfinity;
    tree[i].missing_left = draws.uniform() < 0.5;
    tree[i].left = static_cast<std::int32_t>(tree.size());
    tree.resize(tree.size() + 2);
    level.resize(tree.size(), level[i] + 1);
  }
  return tree;
}

Forest random_forest(std::size_t trees, const TreeShape& shape, std::uint64_t seed) {
  Draws draws(seed);
  Forest forest;
  for (int f = 0; f < shape.columns; ++f) forest.features.push_back(concat("c", f));
  for (std::size_t t = 0; t < trees; ++t) forest.trees.push_back(random_tree(shape, draws));
  return forest;
}

// Uniform values, and some that are thresholds, infinite or (on request) missing.
struct Rows {
  std::vector<std::vector<double>> doubles;
  std::vector<std::vector<float>> floats;
  ForestTable table;

  Rows(std::size_t rows, const Forest& forest, double missing, std::uint64_t seed) {
    Draws draws(seed);
    const std::size_t columns = forest.features.size();
    doubles.resize(columns);
    floats.resize(columns);
    for (std::size_t f = 0; f < columns; ++f) {
      for (std::size_t r = 0; r < rows; ++r) doubles[f].push_back(value(forest, f, missing, draws));
      floats[f].assign(doubles[f].begin(), doubles[f].end());
      if (f % 2 == 0) {
        table.add(concat("c", f), std::span<const double>(doubles[f]));
      } else {
        table.add(concat("c", f), std::span<const float>(floats[f]));
      }
    }
  }
  static double value(const Forest& forest, std::size_t f, double missing, Draws& draws) {
    const double kind = draws.uniform();
    if (draws.uniform() < missing) return kNan;
    if (kind < 0.02) return draws.uniform() < 0.5 ? kInfinity : -kInfinity;
    if (kind < 0.2) {
      const ForestTree& tree =
          forest.trees[static_cast<std::size_t>(draws.below(static_cast<std::int64_t>(forest.trees.size())))];
      const ForestNode& node =
          tree[static_cast<std::size_t>(draws.below(static_cast<std::int64_t>(tree.size())))];
      if (node.feature == f) return node.threshold;
    }
    return draws.uniform();
  }
};

std::size_t leaf_of(const ForestTree& tree, const ForestTable& table, std::int64_t row) {
  std::size_t at = 0;
  while (!tree[at].leaf()) {
    const double x = table.value(tree[at].feature, row);
    const bool right = std::isnan(x) ? !tree[at].missing_left : x > tree[at].threshold;
    at = static_cast<std::size_t>(tree[at].left) + (right ? 1 : 0);
  }
  return at;
}

std::vector<double> means(const Forest& forest, const ForestTable& table) {
  std::vector<double> out;
  for (std::int64_t r = 0; r < table.rows(); ++r) {
    double sum = 0;
    for (const ForestTree& tree : forest.trees) sum += tree[leaf_of(tree, table, r)].value;
    out.push_back(sum / static_cast<double>(forest.trees.size()));
  }
  return out;
}

std::size_t most_thresholds(const Forest& forest, std::size_t trees) {
  std::vector<std::set<double>> seen(forest.features.size());
  for (std::size_t t = 0; t < trees; ++t) {
    for (const ForestNode& node : forest.trees[t]) {
      if (!node.leaf()) seen[node.feature].insert(node.threshold);
    }
  }
  std::size_t most = 0;
  for (const auto& column : seen) most = std::max(most, column.size());
  return most;
}

struct Leaves final : ForestPredictor::Visitor {
  Leaves(std::size_t trees, std::int64_t rows)
      : at(trees, std::vector<std::uint32_t>(static_cast<std::size_t>(rows), ~0U)) {}
  void visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> leaves) override {
    std::copy(leaves.begin(), leaves.end(), at[static_cast<std::size_t>(tree)].begin() + first_row);
  }
  std::vector<std::vector<std::uint32_t>> at;  // [tree][row]
};

// Means bit for bit and leaves of all rows, with and without missing values.
void expect_right(const Forest& forest, std::size_t rows, const char* what) {
  const ForestPredictor predictor(forest);
  for (const double missing : {0.0, 0.001, 0.3}) {
    const Rows data(rows, forest, missing, 5);
    EXPECT_EQ(predictor.predict(data.table), means(forest, data.table)) << what << ", missing " << missing;
    Leaves leaves(forest.trees.size(), data.table.rows());
    predictor.visit(data.table, leaves);
    std::int64_t wrong = 0;
    for (std::size_t t = 0; t < forest.trees.size(); ++t) {
      for (std::size_t r = 0; r < rows; ++r)
        wrong +=
            leaves.at[t][r] != leaf_of(forest.trees[t], data.table, static_cast<std::int64_t>(r)) ? 1 : 0;
    }
    EXPECT_EQ(wrong, 0) << what << ", missing " << missing;
  }
}

TEST(PredictTest, EveryDepthAndWidthOfRow) {
  for (const int columns : {1, 8, 9, 32}) {
    for (const int depth : {0, 1, 5, 6, 7, 8, 9, 10, 11, 14}) {
      const Forest forest = random_forest(3, {columns, depth, 0.02, 60}, 1);
      expect_right(forest, 197, concat(columns, " columns, depth ", depth).c_str());
    }
  }
}

TEST(PredictTest, CodesOf8And16And32Bits) {
  const Forest bytes = random_forest(4, {1, 12, 0.05, 254}, 2);
  ASSERT_LE(most_thresholds(bytes, 4), 254U + 1);
  expect_right(bytes, 300, "at most 255 thresholds");
  const Forest words = random_forest(4, {2, 12, 0.02, 0}, 2);
  ASSERT_GT(most_thresholds(words, 4), 255U);
  expect_right(words, 300, "more than 255 thresholds");
  const Forest wide = random_forest(3, {1, 16, 0.01, 0}, 2);
  ASSERT_GT(most_thresholds(wide, 3), 65535U);
  expect_right(wide, 300, "more than 65,535 thresholds");
}

// 254, 255 and 65,534, 65,535 thresholds: the limits of the code widths.
TEST(PredictTest, TheLastThresholdThatFits) {
  for (const int thresholds : {253, 254, 255, 256, 65533, 65534, 65535, 65536}) {
    Forest forest;
    forest.features = {"x"};
    ForestTree& tree = forest.trees.emplace_back(1);
    // A balanced tree over 0, 1, …: leaf k holds the values of rank k.
    const std::function<void(std::size_t, int, int)> split = [&](std::size_t i, int low, int high) {
      tree[i].value = low;
      if (low == high) return;
      const int middle = low + (high - low) / 2;
      const auto left = tree.size();
      tree[i].threshold = middle;
      tree[i].missing_left = i == 0;  // then always to the right
      tree[i].left = static_cast<std::int32_t>(left);
      tree.resize(left + 2);
      split(left, low, middle);
      split(left + 1, middle + 1, high);
    };
    split(0, 0, thresholds);
    const std::vector<double> x{-1,        0,   0.5, thresholds - 1.0, thresholds - 0.5, thresholds + 9.0,
                                kInfinity, kNan};
    ForestTable table;
    table.add("x", std::span<const double>(x));
    const std::vector<double> expected{0.0,
                                       0.0,
                                       1.0,
                                       thresholds - 1.0,
                                       1.0 * thresholds,
                                       1.0 * thresholds,
                                       1.0 * thresholds,
                                       1.0 * (thresholds / 2)};
    EXPECT_EQ(ForestPredictor(forest).predict(table), expected) << thresholds << " thresholds";
  }
}

TEST(PredictTest, RunsOfTreesWithRanksOfTheirOwn) {
  // 150 thresholds of ten trees, 150 others of the next ten, and so on.
  Forest forest = random_forest(40, {3, 9, 0.05, 150}, 3);
  for (std::size_t t = 0; t < forest.trees.size(); ++t) {
    for (ForestNode& node : forest.trees[t]) node.threshold += 1e-3 * static_cast<double>(t / 10);
  }
  ASSERT_GT(most_thresholds(forest, 20), 254U);
  ASSERT_LE(most_thresholds(forest, 10), 254U);
  expect_right(forest, 3000, "four runs");
}

TEST(PredictTest, BigTreesOnSortedRowsForAnyNumberOfThreads) {
  const Forest forest = random_forest(6, {5, 14, 0.03, 0}, 4);
  ASSERT_GT(forest.trees[0].size(), 5000U);
  expect_right(forest, 5000, "big trees");
  const Rows data(9000, forest, 0.01, 6);
  const int before = omp_get_max_threads();
  const std::vector<double> expected = means(forest, data.table);
  for (const int threads : {1, 2, 3, 7}) {
    omp_set_num_threads(threads);
    EXPECT_EQ(ForestPredictor(forest).predict(data.table), expected) << threads << " threads";
  }
  omp_set_num_threads(before);
}

TEST(PredictTest, SmallTreesForAnyNumberOfThreads) {
  const Forest forest = random_forest(20, {8, 10, 0.05, 200}, 7);
  const Rows data(9001, forest, 0.0, 6);
  const int before = omp_get_max_threads();
  const std::vector<double> expected = means(forest, data.table);
  for (const int threads : {1, 2, 3, 7}) {
    omp_set_num_threads(threads);
    EXPECT_EQ(ForestPredictor(forest).predict(data.table), expected) << threads << " threads";
  }
  omp_set_num_threads(before);
}

// Not only the method that this machine chooses: the vector walk and the simple one end in the same slots.
TEST(PredictTest, VectorsWalkAsSingleRowsDo) {
  if (!walk_bytes_supported()) GTEST_SKIP() << "this machine cannot look up bytes in long tables";
  for (const int stride : {8, 16, 32}) {
    const Forest forest = random_forest(2, {stride, 10, 0.03, 100}, 8);
    std::vector<std::vector<double>> thresholds(forest.features.size());
    for (auto& column : thresholds) {
      for (int k = 0; k < 100; ++k) column.push_back(k / 100.0);
      column.push_back(kInfinity);
    }
    const ForestRanks ranks(thresholds);
    const auto code_of = [&](const ForestNode& node) { return ranks.of_threshold(node); };
    const Rows data(256, forest, 0.1, 9);
    std::vector<std::uint8_t> bytes(256 * static_cast<std::size_t>(stride), 0);
    std::vector<std::uint16_t> words(bytes.size(), 0), vector_slots(256), plain_slots(256);
    ASSERT_TRUE(ranks.code_rows(data.table, 0, 256, bytes.data()));
    ranks.code_rows(data.table, 0, 256, words.data());
    for (const ForestTree& tree : forest.trees) {
      PackedTree<std::uint8_t>(tree, code_of)
          .walk_top({bytes.data(), 256, stride, true}, vector_slots.data());
      PackedTree<std::uint16_t>(tree, code_of)
          .walk_top({words.data(), 256, stride, true}, plain_slots.data());
      EXPECT_EQ(vector_slots, plain_slots) << stride << " codes per row";
    }
  }
}

TEST(PredictTest, NoRowsAndOtherColumns) {
  const Forest forest = random_forest(2, {3, 4, 0.1, 0}, 1);
  const Rows none(0, forest, 0, 1);
  EXPECT_TRUE(ForestPredictor(forest).predict(none.table).empty());
  ForestTable one;
  const std::vector<double> x{1, 2};
  one.add("x", std::span<const double>(x));
  EXPECT_THROW(ForestPredictor(forest).predict(one), Error);
}

}  // namespace
}  // namespace umbra
