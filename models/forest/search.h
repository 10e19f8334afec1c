// A grid search for the best options of a forest: number of trees, depth, columns per node and rows per
// leaf. Forests nest: fewer trees are the first of many, shallow trees are deep ones cut off, and trees of
// several leaf sizes grow as one family (binned_grower.h). So each number of columns per node is fitted
// once per fold, with the most trees at the greatest depth, and one walk scores all other points.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

/// The values to try for each option. The defaults are the grid of Nadler & To (2018).
struct ForestGrid {
  std::vector<std::int64_t> trees{100, 500, 750, 1000};  ///< see ForestOptions::trees
  std::vector<int> max_depth{5, 10};                     ///< 0: no limit
  std::vector<std::int64_t> max_features{0};             ///< 0: all
  std::vector<std::int64_t> min_samples_leaf{1, 2, 4};   ///< see ForestOptions::min_samples_leaf
};

/// The fold in which each row is held out, drawn at random: [rows], -1 where `used` is 0. The numbers of rows of two
/// folds differ by at most one. Throws Error when there are fewer rows than folds, or fewer than two folds.
std::vector<int> make_folds(std::span<const std::uint8_t> used, int folds, std::uint64_t seed);

/// `fold_of` with -1 where `used` is 0. Throws Error when a used row is in no fold, or a fold has no used row.
std::vector<int> used_folds(std::span<const std::uint8_t> used, std::span<const int> fold_of, int folds);

/// The input of search_forest().
struct SearchRequest {
  ForestGrid grid;         ///< the options to vary
  ForestOptions base;      ///< all other options; its seed also draws folds that are not given
  int folds = 5;           ///< 0: no cross-validation
  bool out_of_bag = true;  ///< compute out-of-bag scores
  std::span<const int>
      fold_of;  ///< [rows] the fold in which each row is held out, 0 to folds - 1; empty: drawn by make_folds()
  /// Called before each fit, of which there is one per fold (and one out of bag) and number of columns per
  /// node.
  std::function<void(std::int64_t done, std::int64_t all)> progress;
  StageReport stages;  ///< called for the trees of all fits
};

/// The scores of one point of the grid. R^2 counts every row once, whatever its weight; it is NaN if not
/// requested.
struct SearchScore {
  std::int64_t trees = 0;                                         ///< of the point
  int max_depth = 0;                                              ///< of the point
  std::int64_t max_features = 0,                                  ///< of the point
      min_samples_leaf = 0;                                       ///< of the point
  std::vector<double> fold_r2;                                    ///< [folds], on the rows held out
  double cv_r2 = std::numeric_limits<double>::quiet_NaN();        ///< mean of fold_r2
  double cv_r2_error = std::numeric_limits<double>::quiet_NaN();  ///< standard error of the mean
  double oob_r2 = std::numeric_limits<double>::quiet_NaN();       ///< of the forest fitted on all rows
};

/// One score for each point of the grid; trees vary fastest, then depth, rows per leaf, columns per node.
/// Throws Error as fit_forest() does, when an axis of the grid is empty or has a value twice, and when
/// max_leaf_nodes is set, because best-first trees do not nest.
std::vector<SearchScore> search_forest(const ForestData& data, const SearchRequest& request);

/// The score by which best_of() chooses.
enum class SearchScorer {
  kCrossValidation,  ///< SearchScore::cv_r2
  kOutOfBag          ///< SearchScore::oob_r2
};
/// The index of the highest score; of equal ones the first. Throws Error when there are no scores.
std::size_t best_of(const std::vector<SearchScore>& scores, SearchScorer scorer);

}  // namespace umbra
