// Which settings of a forest predict best: a grid over the number of trees, their depth, columns per node and
// rows per leaf. Forests nest: fewer trees are the first of many, shallow trees are deep ones cut off, and
// trees of several leaf sizes grow as one family (binned_grower.h). So each number of columns per node is
// fitted once per fold, with the most trees at the greatest depth, and one walk scores all the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

/// The default is the grid of Nadler & To (2018).
struct ForestGrid {
  std::vector<std::int64_t> trees{100, 500, 750, 1000};
  std::vector<int> max_depth{5, 10};  // 0: no limit
  std::vector<std::int64_t> max_features{0};
  std::vector<std::int64_t> min_samples_leaf{1, 2, 4};
};

/// Which fold every row is held out in: [rows], -1 where `used` is 0. Rows of one group (empty: every row is
/// its own) stay together; groups, in random order, go to the fold with the fewest rows so far. Throws Error
/// when there are fewer groups than folds, or fewer than two folds.
std::vector<int> make_folds(std::span<const std::uint8_t> used, std::span<const std::int64_t> groups,
                            int folds, std::uint64_t seed);

struct SearchRequest {
  ForestGrid grid;
  ForestOptions base;  // all that is not in the grid; its seed also draws the folds
  int folds = 5;       // 0: no cross-validation
  bool out_of_bag = true;
  std::span<const std::int64_t> groups;  // [rows] or empty
  /// Called before each fold and number of columns per node: so many are done, so many there are.
  std::function<void(std::int64_t done, std::int64_t all)> progress;
};

/// R^2 counts every row once, whatever its weight. NaN: not asked for.
struct SearchScore {
  std::int64_t trees = 0;
  int max_depth = 0;
  std::int64_t max_features = 0, min_samples_leaf = 0;
  std::vector<double> fold_r2;                                    // of each fold, on the rows held out
  double cv_r2 = std::numeric_limits<double>::quiet_NaN();        // mean of fold_r2
  double cv_r2_error = std::numeric_limits<double>::quiet_NaN();  // its standard error, from their scatter
  double oob_r2 = std::numeric_limits<double>::quiet_NaN();       // of the forest fitted on all rows
};

/// One score for each point of the grid, trees varying fastest, then depth, rows per leaf, columns per node.
/// Throws Error when an axis of the grid is empty or names something twice, or as fit_forest does;
/// max_leaf_nodes cannot be combined with a search, for best-first trees do not nest.
std::vector<SearchScore> search_forest(const ForestData& data, const SearchRequest& request);

enum class SearchScorer { kCrossValidation, kOutOfBag };
/// Index of the score that is highest; of equal ones the first.
std::size_t best_of(const std::vector<SearchScore>& scores, SearchScorer scorer);

}  // namespace umbra
