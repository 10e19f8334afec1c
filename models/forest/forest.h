// A random forest for regression (Breiman 2001): the mean of many trees, each grown on a bootstrap sample of
// the rows by splits that reduce the variance of the target most.
//
// Sums are integers: the target is rounded to fixed point (2^-30 of its range, 2^-26 with weights), so
// histograms, subtraction of histograms and means do not depend on the order of additions. A forest is the
// same, bit for bit, for any number of threads and on any machine. A tree is a function of the data, the
// options and its number alone: the first 100 trees of 500 are the forest of 100 trees, and a tree of depth
// 10 cut at depth 5 is the tree of depth 5.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/forest/table.h"

namespace umbra {

struct ForestOptions {
  /// How thresholds are searched for. kBinned8: 255 bins per column, fine in the tails. kBinned16: 65,535
  /// bins, of which a node looks at 256 at a time: for deep trees. kExact: all values (slower; for small data
  /// and comparisons).
  enum class Search { kBinned8, kBinned16, kExact };
  /// Which rows a tree sees. kMultinomial: as many as there are, drawn with replacement. kPoisson: every row
  /// a Poisson(1) number of times. kNone: all rows once.
  enum class Bootstrap { kMultinomial, kPoisson, kNone };

  std::int64_t trees = 500;
  int max_depth = 10;                 // 0: no limit
  std::int64_t min_samples_leaf = 4;  // different rows, as in scikit-learn, however often a row was drawn
  std::int64_t max_features = 0;      // columns tried per node, more where these are constant; 0: all
  std::int64_t max_leaf_nodes = 0;    // 0: no limit; otherwise the best splits first
  bool extra_trees = false;           // one random threshold per column and node (Geurts et al. 2006)
  Search search = Search::kBinned8;
  Bootstrap bootstrap = Bootstrap::kMultinomial;
  std::uint64_t seed = 1;
};

/// One node. Inner nodes hold what they would be as a leaf, too: a tree cut at any depth is a tree.
struct ForestNode {
  double threshold = 0;    // rows with value <= threshold go left
  double value = 0;        // mean target of the rows, weighted
  double gain = 0;         // decrease of the weighted sum of squares by the split
  double weight = 0;       // of the rows: times drawn, times their weight
  std::int64_t rows = 0;   // different rows
  std::int32_t left = -1;  // index of the left child, the right one is next; -1: a leaf
  std::uint16_t feature = 0;
  std::uint16_t code = 0;  // binned: rows with code <= this go left
  bool missing_left = false;
  bool leaf() const { return left < 0; }
};
using ForestTree = std::vector<ForestNode>;  // the root is first

/// Predictions for the rows a tree did not see ("out of bag"), averaged over those trees.
struct OutOfBag {
  std::vector<double> prediction;   // [rows]; NaN where every tree saw the row
  std::vector<std::int32_t> trees;  // [rows]: how many did not see it
};

struct Forest {
  ForestOptions options;
  std::vector<std::string> features;
  std::vector<ForestTree> trees;
};

struct ForestData {
  const ForestTable& table;
  std::span<const double> target;   // [rows], finite
  std::span<const double> weights;  // [rows], not negative; or empty: all 1. Rows of weight 0 are left out.
  /// [rows] or empty. Rows whose mask is 0 are no part of the data: for cross-validation without copies.
  std::span<const std::uint8_t> mask;
};

/// [rows]: 1 for rows that are part of the data, not masked and of positive weight.
std::vector<std::uint8_t> used_rows(const ForestData& data);

/// Depths and numbers of trees at which out-of-bag predictions are taken, in one walk; both ascend.
struct OutOfBagRequest {
  std::vector<int> depths{0};         // 0, the leaf, is deepest
  std::vector<std::int64_t> trees{};  // of the first so many trees; empty: of all
  std::vector<OutOfBag> results{};    // [trees][depths], filled by fit_forest()
};

/// Grows options.trees trees. Throws Error when there is nothing to learn from or an
/// option is impossible: no rows, no columns, more than kMostFeatures, a target that is not finite, a
/// negative weight.
Forest fit_forest(const ForestData& data, const ForestOptions& options,
                  OutOfBagRequest* out_of_bag = nullptr);

inline constexpr std::int64_t kMostFeatures = 32;

/// How often tree number `tree` draws each row: [rows]. Rows whose mask is 0 are never drawn.
void draw_rows(const ForestOptions& options, std::int64_t tree, std::span<const std::uint8_t> mask,
               std::span<std::uint8_t> counts);

/// The tree with everything below `depth` cut off (0: nothing).
ForestTree truncated(const ForestTree& tree, int depth);

/// R^2 = 1 - sum (y - p)^2 / sum (y - mean y)^2 over the rows whose prediction is a number. A constant
/// target has R^2 = 1 for a perfect fit (as scikit-learn has it); otherwise it is undefined: NaN, as without
/// any row.
double r_squared(std::span<const double> target, std::span<const double> prediction);

std::string_view name_of(ForestOptions::Search search);
std::string_view name_of(ForestOptions::Bootstrap bootstrap);

}  // namespace umbra
