// The conditional distribution of the target (Meinshausen 2006, binned): for each row, the mean over the
// trees of the histogram of the targets in the leaf that the row falls into. It gives prediction intervals,
// and counts per bin of the target that keep the scatter which mean predictions lack.
//
// Histograms are stored sparsely, with only the bins in which a leaf has rows: deep trees have many leaves
// of few rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/forest/forest.h"
#include "models/forest/predict.h"

namespace umbra {

/// The edges [bins + 1] of equal bins from the smallest to just above the largest target of the used rows;
/// one bin if all targets are equal. Throws Error when `bins` is out of range or no row is used.
std::vector<double> equal_edges(const ForestData& data, std::int64_t bins);

/// The histograms of the targets in the leaves of a forest.
class LeafHistograms {
 public:
  /// Sends the rows that each tree drew down to its leaves. `data`: the data the forest was fitted on.
  /// `edges` [bins + 1] ascend; bin b holds edges[b] <= y < edges[b + 1]; targets outside all bins are
  /// counted as below or above. Throws Error when the number of rows in a leaf is not that of the forest,
  /// which means that `data` is not the data it was fitted on.
  ///
  /// `without_target`, or null: rows of the same population, with the same columns, that have no target, so
  /// that the forest was not fitted on them. Each goes down every tree and counts once in its leaf, in no bin.
  LeafHistograms(const Forest& forest, const ForestData& data, std::vector<double> edges,
                 const ForestTable* without_target = nullptr);

  /// The number of bins.
  std::int64_t bins() const { return static_cast<std::int64_t>(edges_.size()) - 1; }
  const std::vector<double>& edges() const { return edges_; }  ///< [bins + 1]

  /// P(the row has a target, which is in the bin): [rows][bins]. The rest of the probability lies outside
  /// the edges or belongs to rows without a target.
  std::vector<double> probabilities(const ForestTable& table) const;
  /// P(the row has a target): [rows]; 1 up to rounding if no rows without a target were given.
  std::vector<double> target_probabilities(const ForestTable& table) const;
  /// The quantiles `at` (0 to 1) of the target, if there is one: [rows][at.size()], linear within bins.
  /// Quantiles outside the edges are the first or last edge. Throws Error when `at` is outside 0 to 1.
  std::vector<double> quantiles(const ForestTable& table, std::span<const double> at) const;

  /// probabilities() of the rows of `data`, the same data as in the constructor. Each row uses the trees
  /// that did not draw it (masked rows: all trees). NaN where every tree drew the row.
  std::vector<double> out_of_bag_probabilities(const ForestData& data) const;
  /// quantiles() of the rows of `data`, from the trees that did not draw them.
  std::vector<double> out_of_bag_quantiles(const ForestData& data, std::span<const double> at) const;

 private:
  // A share share[k] of the rows in node i has the code code[k], for begin[i] <= k < begin[i + 1]. Codes: 0
  // is below the first edge, b + 1 is bin b, bins + 1 is above the last edge.
  struct Tree {
    std::vector<std::uint32_t> begin;  // [nodes + 1]; inner nodes have none
    std::vector<std::uint16_t> code;
    std::vector<float> share;
    std::int64_t wrong_node = -1;  // a leaf whose number of rows is not that of the forest
  };
  using DrawnRows = std::vector<std::vector<bool>>;  // [tree][row]
  template <class Finish>
  class Mixture;

  std::size_t codes() const { return edges_.size() + 1; }
  Tree histograms(const ForestTree& tree, std::span<const std::uint32_t> leaf,
                  std::span<const std::uint8_t> counts, std::span<const std::uint16_t> code,
                  std::span<const double> weights, std::span<const std::uint32_t> without_target) const;
  DrawnRows drawn_rows(const ForestData& data) const;
  std::vector<double> probabilities(const ForestTable& table, const DrawnRows& drawn) const;
  std::vector<double> quantiles(const ForestTable& table, std::span<const double> at,
                                const DrawnRows& drawn) const;

  std::vector<double> edges_;
  ForestOptions options_;
  ForestPredictor predictor_;
  std::vector<Tree> trees_;
};

}  // namespace umbra
