// How the target is distributed where a forest predicts its mean: each tree says what it saw in the leaf a
// row falls into, the forest says the mean of these histograms (Meinshausen 2006, binned). Intervals come
// from it, and counts in bins of the target that keep the scatter which mean predictions lack.
//
// Histograms are stored sparsely, only bins in which a leaf has rows: deep trees have many leaves of few
// rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/forest/forest.h"
#include "models/forest/predict.h"

namespace umbra {

/// Edges of `bins` equal bins from the smallest to just above the largest target; one bin where these are the
/// same number.
std::vector<double> equal_edges(const ForestData& data, std::int64_t bins);

class LeafHistograms {
 public:
  /// Sends the rows every tree drew into its leaves. `data` is what the forest was fitted on; `edges`
  /// [bins + 1] ascend, bin b is edges[b] <= y < edges[b + 1]; targets outside count as below or above.
  /// Throws Error when a leaf gets other than the number of rows it was grown on: then `data` is not the
  /// forest's.
  LeafHistograms(const Forest& forest, const ForestData& data, std::vector<double> edges);

  std::int64_t bins() const { return static_cast<std::int64_t>(edges_.size()) - 1; }
  const std::vector<double>& edges() const { return edges_; }

  /// P(target in bin | row): [rows][bins]. What is missing from 1 lies outside the edges.
  std::vector<double> probabilities(const ForestTable& table) const;
  /// [rows][at.size()], linear within bins; quantiles outside the edges are the first or last edge. `at`: 0
  /// to 1.
  std::vector<double> quantiles(const ForestTable& table, std::span<const double> at) const;

  /// The same for the rows of `data`, that of the constructor, each from the trees that did not draw it
  /// (masked rows: from all). NaN where every tree did.
  std::vector<double> out_of_bag_probabilities(const ForestData& data) const;
  std::vector<double> out_of_bag_quantiles(const ForestData& data, std::span<const double> at) const;

 private:
  // Of the rows in node i, the share share[k] has code code[k], for begin[i] <= k < begin[i + 1]. Codes: 0
  // below the first edge, bin + 1, then above.
  struct Tree {
    std::vector<std::uint32_t> begin;  // [nodes + 1]; inner nodes have none
    std::vector<std::uint16_t> code;
    std::vector<float> share;
    std::int64_t wrong_node = -1;  // whose number of rows is not the forest's
  };
  using DrawnRows = std::vector<std::vector<bool>>;  // [tree][row]
  template <class Finish>
  class Mixture;

  std::size_t codes() const { return edges_.size() + 1; }
  Tree histograms(const ForestTree& tree, std::span<const std::uint32_t> leaf,
                  std::span<const std::uint8_t> counts, std::span<const std::uint16_t> code,
                  std::span<const double> weights) const;
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
