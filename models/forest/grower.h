// What all growers share: fixed-point sums, the test of a split, and how nodes are made of sums.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/philox.h"
#include "models/forest/forest.h"

namespace umbra {

/// Sums over some rows: of weight times target in fixed point, of weights in fixed point, and their number.
struct RowSums {
  std::int64_t sum = 0;
  std::uint64_t count = 0;  // rows << kWeightBits | weight: one addition for both

  static constexpr int kWeightBits = 36;  // so at most 2^28 rows
  double weight() const { return static_cast<double>(count & ((std::uint64_t{1} << kWeightBits) - 1)); }
  std::int64_t rows() const { return static_cast<std::int64_t>(count >> kWeightBits); }
  void add(const RowSums& o) { sum += o.sum, count += o.count; }
  void subtract(const RowSums& o) { sum -= o.sum, count -= o.count; }
};
inline RowSums operator-(RowSums a, const RowSums& b) {
  a.subtract(b);
  return a;
}
inline constexpr std::int64_t kMostRows = std::int64_t{1} << (64 - RowSums::kWeightBits);

/// Target and weights in fixed point: y = center + unit * fixed, weight = weight_unit * fixed. Integers stay
/// themselves where they fit. The sum over all rows, each drawn up to 16 times, fits RowSums.
struct FixedData {
  double center = 0, unit = 1, weight_unit = 1;
  std::vector<std::int32_t> target;    // [rows]
  std::vector<std::uint32_t> weights;  // [rows], or empty: all 1

  std::uint32_t weight(std::int64_t row) const {
    return weights.empty() ? 1 : weights[static_cast<std::size_t>(row)];
  }
};
FixedData fixed_data(const ForestData& data);

/// What is left to say once a node's split is known.
struct Split {
  double score = 0;  // decrease of the sum of squares times the node's weight, in fixed point; 0: none
  std::int32_t feature = -1;
  std::int64_t at = 0, next = 0;  // binned: last occupied bin on the left, first on the right; exact: ranks
  bool missing_left = false, only_missing_right = false;
  RowSums left;
};

/// score of left against the rest, or 0 where a side has too few rows. The means' difference is taken before
/// anything is squared: equal means score exactly 0.
inline double score_of(const RowSums& all, const RowSums& left, std::int64_t least_rows) {
  const RowSums right = all - left;
  if (left.rows() < least_rows || right.rows() < least_rows) return 0;
  const double wl = left.weight(), wr = right.weight();
  const double d = static_cast<double>(left.sum) * wr - static_cast<double>(right.sum) * wl;
  return d / (wl * wr) * d;
}

/// Keeps the better of two splits; of equal ones the first.
inline void consider(Split& best, double score, std::int32_t feature, std::int64_t at, std::int64_t next,
                     const RowSums& left, bool missing_left, bool only_missing_right = false) {
  if (score > best.score) best = {score, feature, at, next, missing_left, only_missing_right, left};
}

/// The columns that a node may split on, in the order in which they are tried.
class FeatureDraw {
 public:
  FeatureDraw(const ForestOptions& options, std::int64_t features, std::int64_t tree);
  /// Calls try_feature(f), which says whether the column has different values here, until max_features were
  /// tried and one of them had.
  template <class Try>
  void for_node(std::uint64_t path, const Try& try_feature) const {
    if (most_ >= features_) {
      for (std::int64_t f = 0; f < features_; ++f) try_feature(f);
      return;
    }
    std::uint8_t order[kMostFeatures];
    for (std::int64_t f = 0; f < features_; ++f) order[f] = static_cast<std::uint8_t>(f);
    bool useful = false;
    for (std::int64_t i = 0; i < features_ && (i < most_ || !useful); ++i) {
      const auto left = static_cast<std::uint64_t>(features_ - i);
      const auto pick = i + static_cast<std::int64_t>(rng_.below(index(path, i), left));
      std::swap(order[i], order[pick]);
      useful = try_feature(std::int64_t{order[i]}) || useful;
    }
  }
  /// Uniform in [0, 1): where between a column's extremes an extremely random tree splits.
  double threshold(std::uint64_t path, std::int64_t feature) const {
    return thresholds_.uniform(index(path, feature));
  }

 private:
  // Nodes are known by their path from the root: 1, then 2p for the left child of p and 2p + 1 for the right.
  static std::uint64_t index(std::uint64_t path, std::int64_t i) {
    return path * static_cast<std::uint64_t>(kMostFeatures) + static_cast<std::uint64_t>(i);
  }
  std::int64_t features_, most_;
  Rng rng_, thresholds_;
};

/// Makes nodes of sums.
struct NodeMaker {
  double center, unit, weight_unit;
  ForestNode leaf(const RowSums& s) const {
    ForestNode node;
    node.value = center + unit * (static_cast<double>(s.sum) / s.weight());
    node.weight = weight_unit * s.weight();
    node.rows = s.rows();
    return node;
  }
  double gain(const Split& split, const RowSums& all) const {
    return split.score / all.weight() * unit * unit * weight_unit;
  }
};

/// Grows one tree at a time; holds the memory that takes. Several growers work side by side.
class TreeGrower {
 public:
  virtual ~TreeGrower() = default;
  /// counts [rows]: how often each row was drawn, at least one of them more than never.
  virtual ForestTree grow(std::int64_t tree, std::span<const std::uint8_t> counts) = 0;
  /// The trees that grow() makes with each of these min_samples_leaf (ascending) instead of the one of the
  /// options, in less time. Not with max_leaf_nodes: best-first trees are no family.
  virtual std::vector<ForestTree> grow_family(std::int64_t tree, std::span<const std::uint8_t> counts,
                                              std::span<const std::int64_t> min_samples_leaf) = 0;
  /// Adds the out-of-bag predictions of a tree of this grower to `sums` and `trees`: for each of `depths` and
  /// each row of count 0 whose mask is not 0, its value there as fixed point (oob_fixed). Both are
  /// [depth][row].
  virtual void add_out_of_bag(const ForestTree& tree, std::span<const std::uint8_t> counts,
                              std::span<const std::uint8_t> mask, std::span<const int> depths,
                              std::span<std::int64_t> sums, std::span<std::int32_t> trees) = 0;
};

/// Data prepared for growing, shared by growers.
class GrowthData {
 public:
  virtual ~GrowthData() = default;
  virtual std::unique_ptr<TreeGrower> make_grower(const ForestOptions& options) const = 0;
  FixedData fixed;
};
std::unique_ptr<GrowthData> binned_growth(const ForestData& data, ForestOptions::Search search);
std::unique_ptr<GrowthData> exact_growth(const ForestData& data);

/// A prediction as an integer, so that sums over trees do not depend on their order, and back.
std::int64_t oob_fixed(const FixedData& fixed, double value);
double oob_value(const FixedData& fixed, std::int64_t sum, std::int64_t trees);

}  // namespace umbra
