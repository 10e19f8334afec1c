// Shared by all growers: fixed-point sums, the score of a split, and the making of nodes from sums.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/philox.h"
#include "models/forest/forest.h"

namespace umbra {

/// Sums over rows in fixed point: of weight times target, of weights, and the number of rows.
struct RowSums {
  std::int64_t sum = 0;     ///< of weight times target
  std::uint64_t count = 0;  ///< rows << kWeightBits | weight: one addition for both

  static constexpr int kWeightBits = 36;  ///< bits of `count` for the weight; 28 are left for the rows
  /// The sum of the weights.
  double weight() const { return static_cast<double>(count & ((std::uint64_t{1} << kWeightBits) - 1)); }
  /// The number of rows.
  std::int64_t rows() const { return static_cast<std::int64_t>(count >> kWeightBits); }
  /// Adds the rows of `o`.
  void add(const RowSums& o) { sum += o.sum, count += o.count; }
  /// Removes the rows of `o`.
  void subtract(const RowSums& o) { sum -= o.sum, count -= o.count; }
};
/// The sums over the rows of `a` that are not in `b`, a subset of them.
inline RowSums operator-(RowSums a, const RowSums& b) {
  a.subtract(b);
  return a;
}
/// One more than the largest number of rows.
inline constexpr std::int64_t kMostRows = std::int64_t{1} << (64 - RowSums::kWeightBits);

/// Target and weights in fixed point: y = center + unit * fixed, weight = weight_unit * fixed. Integers
/// that fit are not changed. The sum over all rows, each drawn up to 16 times, fits RowSums.
struct FixedData {
  double center = 0,                   ///< target at fixed point 0
      unit = 1,                        ///< target per unit of fixed point
      weight_unit = 1;                 ///< weight per unit of fixed point
  std::vector<std::int32_t> target;    ///< [rows]
  std::vector<std::uint32_t> weights;  ///< [rows], or empty: all 1

  /// The weight of a row in fixed point.
  std::uint32_t weight(std::int64_t row) const {
    return weights.empty() ? 1 : weights[static_cast<std::size_t>(row)];
  }
};
/// Target and weights of `data`; unused rows have target and weight 0.
FixedData fixed_data(const ForestData& data);

/// A split of a node.
struct NodeSplit {
  double score = 0;  ///< decrease of the sum of squares times the node's weight, in fixed point; 0: none
  std::int32_t feature = -1;  ///< column; -1: no split
  std::int64_t at = 0,        ///< last occupied bin on the left; exact search: position in the sorted list
      next = 0;               ///< first occupied bin on the right; exact search: position in the sorted list
  bool missing_left = false,  ///< rows with a missing value go left
      only_missing_right = false;  ///< the right side has only rows with a missing value
  RowSums left;                    ///< over the rows on the left
};

/// The score of a split into `left` and the rest, or 0 if a side has fewer than `least_rows` rows. The
/// means are subtracted before anything is squared, so equal means score exactly 0.
inline double score_of(const RowSums& all, const RowSums& left, std::int64_t least_rows) {
  const RowSums right = all - left;
  if (left.rows() < least_rows || right.rows() < least_rows) return 0;
  const double wl = left.weight(), wr = right.weight();
  const double d = static_cast<double>(left.sum) * wr - static_cast<double>(right.sum) * wl;
  return d / (wl * wr) * d;
}

/// Replaces `best` by a split with a higher score; of equal ones the first stays.
inline void consider(NodeSplit& best, double score, std::int32_t feature, std::int64_t at, std::int64_t next,
                     const RowSums& left, bool missing_left, bool only_missing_right = false) {
  if (score > best.score) best = {score, feature, at, next, missing_left, only_missing_right, left};
}

/// Draws the order in which the columns are tried at a node. Of equal splits the one tried first stays (see
/// consider()), so columns that divide the rows of a node alike win equally often, as in scikit-learn. The
/// order depends on the seed, the tree and the path to the node alone.
class FeatureDraw {
 public:
  /// The draws of tree number `tree` on data with `features` columns.
  FeatureDraw(const ForestOptions& options, std::int64_t features, std::int64_t tree);
  /// Calls try_feature(f), which returns whether column f has different values in this node, for
  /// max_features columns and then for more until one had. `path`: see BinnedNode::path.
  template <class Try>
  void for_node(std::uint64_t path, const Try& try_feature) const {
    std::uint8_t order[kMostFeatures];
    for (std::int64_t f = 0; f < features_; ++f) order[f] = static_cast<std::uint8_t>(f);
    if (most_ >= features_) {
      shuffle(path, order);
      for (std::int64_t i = 0; i < features_; ++i) try_feature(std::int64_t{order[i]});
      return;
    }
    bool useful = false;
    for (std::int64_t i = 0; i < features_ && (i < most_ || !useful); ++i) {
      const auto left = static_cast<std::uint64_t>(features_ - i);
      const auto pick = i + static_cast<std::int64_t>(rng_.below(index(path, i), left));
      std::swap(order[i], order[pick]);
      useful = try_feature(std::int64_t{order[i]}) || useful;
    }
  }
  /// Uniform in [0, 1): the position between a column's extremes at which an extremely random tree splits.
  double threshold(std::uint64_t path, std::int64_t feature) const {
    return thresholds_.uniform(index(path, feature));
  }

 private:
  // A node is identified by its path: 1 for the root, 2p for the left child of p and 2p + 1 for the right.
  static std::uint64_t index(std::uint64_t path, std::int64_t i) {
    return path * static_cast<std::uint64_t>(kMostFeatures) + static_cast<std::uint64_t>(i);
  }
  // Permutes all columns. Deep trees have as many nodes as rows, so eight picks share a block of random words:
  // the fraction that the first pick from a word leaves is uniform again and serves the second.
  void shuffle(std::uint64_t path, std::uint8_t* order) const {
    Philox4 words{};
    for (std::int64_t i = 0; i + 1 < features_; ++i) {
      if (i % 8 == 0) words = ties_.words(index(path, i / 8));
      std::uint32_t& word = words[static_cast<std::size_t>(i % 8 / 2)];
      const std::uint64_t product = std::uint64_t{word} * static_cast<std::uint64_t>(features_ - i);
      word = static_cast<std::uint32_t>(product);
      std::swap(order[i], order[i + static_cast<std::int64_t>(product >> 32)]);
    }
  }
  std::int64_t features_, most_;
  Rng rng_, thresholds_, ties_;
};

/// Makes nodes from sums.
struct NodeMaker {
  double center,    ///< see FixedData
      unit,         ///< see FixedData
      weight_unit;  ///< see FixedData
  /// A leaf with the rows of `s`.
  ForestNode leaf(const RowSums& s) const {
    ForestNode node;
    node.value = center + unit * (static_cast<double>(s.sum) / s.weight());
    node.weight = weight_unit * s.weight();
    node.rows = s.rows();
    return node;
  }
  /// The decrease of the weighted sum of squares by `split`, in units of the target and weights.
  double gain(const NodeSplit& split, const RowSums& all) const {
    return split.score / all.weight() * unit * unit * weight_unit;
  }
};

/// Grows one tree at a time and owns the memory for it. Several growers may work in parallel on the same
/// GrowthData.
class TreeGrower {
 public:
  virtual ~TreeGrower() = default;
  /// Grows tree number `tree`. counts [rows]: how often each row was drawn; at least one is not 0.
  virtual ForestTree grow(std::int64_t tree, std::span<const std::uint8_t> counts) = 0;
  /// The trees that grow() makes with each of these values of min_samples_leaf (ascending), in less time
  /// than one by one. Not valid with max_leaf_nodes, because best-first trees do not share their splits.
  virtual std::vector<ForestTree> grow_family(std::int64_t tree, std::span<const std::uint8_t> counts,
                                              std::span<const std::int64_t> min_samples_leaf) = 0;
  /// Adds the out-of-bag predictions of a tree of this grower to `sums` [depth][row], in fixed point
  /// (oob_fixed()), and 1 to `trees` [depth][row]: for each of `depths` and each row with count 0 and a
  /// nonzero mask.
  virtual void add_out_of_bag(const ForestTree& tree, std::span<const std::uint8_t> counts,
                              std::span<const std::uint8_t> mask, std::span<const int> depths,
                              std::span<std::int64_t> sums, std::span<std::int32_t> trees) = 0;
};

/// Data prepared for growing; several growers share it.
class GrowthData {
 public:
  virtual ~GrowthData() = default;
  /// A grower on this data, which must outlive it.
  virtual std::unique_ptr<TreeGrower> make_grower(const ForestOptions& options) const = 0;
  FixedData fixed;  ///< target and weights
};
/// Data for growing on bins; `search`: kBinned8 or kBinned16.
std::unique_ptr<GrowthData> binned_growth(const ForestData& data, ForestOptions::Search search);
/// Data for growing on all values.
std::unique_ptr<GrowthData> exact_growth(const ForestData& data);

/// A prediction in fixed point, so that sums over trees do not depend on their order.
std::int64_t oob_fixed(const FixedData& fixed, double value);
/// The mean prediction from a sum of oob_fixed() over `trees` trees.
double oob_value(const FixedData& fixed, std::int64_t sum, std::int64_t trees);

}  // namespace umbra
