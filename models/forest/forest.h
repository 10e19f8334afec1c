// A random forest for regression (Breiman 2001): the mean of many trees, each grown on a bootstrap sample of
// the rows by splits that reduce the variance of the target most.
//
// Sums are integers: the target is rounded to fixed point (2^-30 of its range, 2^-26 with weights), so
// histograms, differences of histograms and means do not depend on the order of additions. A forest is
// bit-identical for any number of threads and on any machine. A tree is a function of the data, the options
// and its number alone: the first 100 trees of 500 are the forest of 100 trees, and a tree of depth 10 cut
// at depth 5 is the tree of depth 5.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/stage.h"
#include "models/forest/table.h"

namespace umbra {

/// The options of a forest.
struct ForestOptions {
  /// How thresholds are searched for.
  enum class Search {
    kBinned8,   ///< 255 bins per column, fine in the tails
    kBinned16,  ///< 65,535 bins, of which a node sees 255 at a time: for deep trees
    kExact      ///< all values: slower, for small data and comparisons
  };
  /// Which rows a tree sees.
  enum class Bootstrap {
    kMultinomial,  ///< as many rows as there are, drawn with replacement
    kPoisson,      ///< every row a Poisson(1) number of times
    kNone          ///< all rows once
  };

  std::int64_t trees = 500;           ///< number of trees
  int max_depth = 10;                 ///< 0: no limit
  std::int64_t min_samples_leaf = 4;  ///< different rows, as in scikit-learn: a row drawn twice counts once
  std::int64_t max_features = 0;      ///< columns tried per node, more if all of these are constant; 0: all
  std::int64_t max_leaf_nodes = 0;    ///< 0: no limit; otherwise trees grow best split first
  bool extra_trees = false;           ///< one random threshold per column and node (Geurts et al. 2006)
  Search search = Search::kBinned8;   ///< see Search
  Bootstrap bootstrap = Bootstrap::kMultinomial;  ///< see Bootstrap
  std::uint64_t seed = 1;                         ///< of all random draws
};

/// A node. Inner nodes have a prediction, too, so a tree can be cut at any depth.
struct ForestNode {
  double threshold = 0;       ///< rows with value <= threshold go left
  double value = 0;           ///< mean target of the rows, weighted
  double gain = 0;            ///< decrease of the weighted sum of squares by the split
  double weight = 0;          ///< sum over the rows of times drawn times weight
  std::int64_t rows = 0;      ///< different rows
  std::int32_t left = -1;     ///< index of the left child, left + 1 is the right one; -1: a leaf
  std::uint16_t feature = 0;  ///< column of the split
  std::uint16_t code = 0;     ///< binned: rows with code <= this go left
  bool missing_left = false;  ///< rows with a missing value go left
  /// Whether the node is a leaf.
  bool leaf() const { return left < 0; }
};
using ForestTree = std::vector<ForestNode>;  ///< the root is first

/// Predictions for the rows a tree did not see ("out of bag"), averaged over those trees.
struct OutOfBag {
  std::vector<double> prediction;   ///< [rows]; NaN where every tree saw the row
  std::vector<std::int32_t> trees;  ///< [rows]: number of trees that did not see the row
};

/// A fitted forest.
struct Forest {
  ForestOptions options;              ///< it was fitted with
  std::vector<std::string> features;  ///< names of the columns, in order
  std::vector<ForestTree> trees;      ///< [options.trees]
};

/// The data to fit a forest on.
struct ForestData {
  const ForestTable& table;         ///< the columns
  std::span<const double> target;   ///< [rows], finite
  std::span<const double> weights;  ///< [rows], not negative; or empty: all 1. Rows of weight 0 are ignored
  /// [rows] or empty. Rows whose mask is 0 are ignored: for cross-validation without copies.
  std::span<const std::uint8_t> mask;
};

/// [rows]: 1 for rows with a nonzero mask and a positive weight, else 0.
std::vector<std::uint8_t> used_rows(const ForestData& data);

/// The depths and numbers of trees for which fit_forest() makes out-of-bag predictions; both ascend.
struct OutOfBagRequest {
  std::vector<int> depths{0};         ///< 0 means no limit and comes last
  std::vector<std::int64_t> trees{};  ///< numbers of first trees to use; empty: all trees
  std::vector<OutOfBag> results{};    ///< [trees][depths], filled by fit_forest()
};

/// The trees that this process grows, if several processes grow a forest together.
struct ForestShare {
  std::int64_t first = 0;  ///< number of the first tree
  std::int64_t trees = 0;  ///< how many follow, with the first; may be 0
  /// Adds to sums over trees those of the other processes. All processes call it equally often, with as many numbers.
  std::function<void(std::span<std::int64_t> sums, std::span<std::int32_t> trees)> add;
};

/// Grows options.trees trees, or those of `share`; the others then are empty, and out-of-bag predictions are those of all
/// processes. Throws Error when an option is out of range or the data cannot be used: no
/// rows, no columns or more than kMostFeatures, a target that is not finite, a negative weight.
Forest fit_forest(const ForestData& data, const ForestOptions& options, OutOfBagRequest* out_of_bag = nullptr,
                  const StageReport& progress = {}, const ForestShare* share = nullptr);

inline constexpr std::int64_t kMostFeatures = 32;  ///< the largest number of columns

/// Sets counts [rows]: how often tree number `tree` draws each row. Rows whose mask is 0 are never drawn;
/// an empty mask uses all rows.
void draw_rows(const ForestOptions& options, std::int64_t tree, std::span<const std::uint8_t> mask,
               std::span<std::uint8_t> counts);

/// The tree cut at `depth` levels below the root; 0 cuts nothing.
ForestTree truncated(const ForestTree& tree, int depth);

/// R^2 = 1 - sum (y - p)^2 / sum (y - mean y)^2 over the rows whose prediction p is not NaN. For a constant
/// target it is 1 for a perfect fit (as in scikit-learn) and otherwise NaN. Without rows it is NaN.
double r_squared(std::span<const double> target, std::span<const double> prediction);

/// "binned8", "binned16" or "exact".
std::string_view name_of(ForestOptions::Search search);
/// "multinomial", "poisson" or "none".
std::string_view name_of(ForestOptions::Bootstrap bootstrap);

}  // namespace umbra
