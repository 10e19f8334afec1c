// Growing on all values: every column is sorted once, and a split divides the sorted lists of rows instead of
// sorting again. The trees are those of scikit-learn, in the time of one pass per column and level.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "engine/cpu/parallel.h"
#include "models/forest/binning.h"
#include "models/forest/grower.h"

namespace umbra {
namespace {

class ExactData final : public GrowthData {
 public:
  explicit ExactData(const ForestData& data)
      : features(data.table.features()),
        rows(data.table.rows()),
        values(static_cast<std::size_t>(features)),
        order(static_cast<std::size_t>(features)) {
    fixed = fixed_data(data);
    parallel_for(features, [&](std::int64_t f) {
      auto& column = values[static_cast<std::size_t>(f)];
      auto& list = order[static_cast<std::size_t>(f)];
      column.resize(static_cast<std::size_t>(rows));
      for (std::int64_t i = 0; i < rows; ++i)
        column[static_cast<std::size_t>(i)] = data.table.value(f, i) + 0.0;
      list.resize(static_cast<std::size_t>(rows));
      std::iota(list.begin(), list.end(), 0);
      std::sort(list.begin(), list.end(), [&](std::int32_t a, std::int32_t b) {
        const double x = column[static_cast<std::size_t>(a)], y = column[static_cast<std::size_t>(b)];
        const bool lost_x = std::isnan(x), lost_y = std::isnan(y);
        return lost_x != lost_y ? lost_y : !lost_x && x != y ? x < y : a < b;
      });
    });
  }
  std::unique_ptr<TreeGrower> make_grower(const ForestOptions& options) const override;

  std::int64_t features, rows;
  std::vector<std::vector<double>> values;       // [feature][row]
  std::vector<std::vector<std::int32_t>> order;  // [feature]: rows, values ascending, missing ones last
};

class ExactGrower final : public TreeGrower {
 public:
  ExactGrower(const ExactData& data, const ForestOptions& options)
      : data_(data),
        options_(options),
        maker_{data.fixed.center, data.fixed.unit, data.fixed.weight_unit},
        lists_(data.order.size()),
        goes_left_(static_cast<std::size_t>(data.rows)) {}

  ForestTree grow(std::int64_t tree, std::span<const std::uint8_t> counts) override {
    draw_.emplace(options_, data_.features, tree);
    counts_ = counts;
    tree_.clear();
    const auto weight = [&](std::int32_t row) { return weight_of(row); };
    for (std::size_t f = 0; f < lists_.size(); ++f) {
      lists_[f].clear();
      std::copy_if(data_.order[f].begin(), data_.order[f].end(), std::back_inserter(lists_[f]),
                   [&](std::int32_t row) { return weight(row) != 0; });
    }
    Node root;
    root.end = static_cast<std::int64_t>(lists_[0].size());
    for (const std::int32_t row : lists_[0]) root.all.add(sums_of(row));
    tree_.push_back(maker_.leaf(root.all));
    std::vector<Candidate> waiting;
    offer(waiting, root);
    // Depth first (the last one waiting is next), or best first with max_leaf_nodes.
    for (std::int64_t leaves = 1; !waiting.empty(); ++leaves) {
      if (options_.max_leaf_nodes > 0 && leaves >= options_.max_leaf_nodes) break;
      auto next = waiting.end() - 1;
      if (options_.max_leaf_nodes > 0) {
        next = std::max_element(waiting.begin(), waiting.end(), [](const Candidate& a, const Candidate& b) {
          return a.gain < b.gain || (a.gain == b.gain && a.node.index > b.node.index);
        });
      }
      const Candidate best = *next;
      waiting.erase(next);
      const auto pair = divide(best.node, best.split);
      offer(waiting, pair[1]);  // so that the left one comes first
      offer(waiting, pair[0]);
    }
    return std::move(tree_);
  }

  std::vector<ForestTree> grow_family(std::int64_t tree, std::span<const std::uint8_t> counts,
                                      std::span<const std::int64_t> min_samples_leaf) override {
    std::vector<ForestTree> trees;
    const std::int64_t before = options_.min_samples_leaf;
    for (const std::int64_t least : min_samples_leaf) {
      options_.min_samples_leaf = least;
      trees.push_back(grow(tree, counts));
    }
    options_.min_samples_leaf = before;
    return trees;
  }

  void add_out_of_bag(const ForestTree& tree, std::span<const std::uint8_t> counts,
                      std::span<const std::uint8_t> mask, std::span<const int> depths,
                      std::span<std::int64_t> sums, std::span<std::int32_t> trees) override {
    const std::size_t rows = counts.size();
    for (std::size_t i = 0; i < rows; ++i) {
      if (counts[i] != 0 || (!mask.empty() && mask[i] == 0)) continue;
      for (std::size_t d = 0; d < depths.size(); ++d) {
        std::size_t at = 0;
        for (int level = 0; !tree[at].leaf() && (depths[d] == 0 || level < depths[d]); ++level) {
          const ForestNode& node = tree[at];
          const double x = data_.values[node.feature][i];
          const bool right = std::isnan(x) ? !node.missing_left : x > node.threshold;
          at = static_cast<std::size_t>(node.left) + (right ? 1 : 0);
        }
        std::atomic_ref(sums[d * rows + i])
            .fetch_add(oob_fixed(data_.fixed, tree[at].value), std::memory_order_relaxed);
        std::atomic_ref(trees[d * rows + i]).fetch_add(1, std::memory_order_relaxed);
      }
    }
  }

 private:
  struct Node {
    std::int32_t index = 0;
    int depth = 0;
    std::uint64_t path = 1;
    std::int64_t begin = 0, end = 0;  // in every list
    RowSums all;
  };
  struct Candidate {
    Node node;
    NodeSplit split;
    double gain;
  };

  std::uint32_t weight_of(std::int32_t row) const {
    return counts_[static_cast<std::size_t>(row)] * data_.fixed.weight(row);
  }
  RowSums sums_of(std::int32_t row) const {
    const std::uint32_t weight = weight_of(row);
    return {std::int64_t{data_.fixed.target[static_cast<std::size_t>(row)]} * weight,
            (std::uint64_t{1} << RowSums::kWeightBits) + weight};
  }

  void offer(std::vector<Candidate>& waiting, const Node& node) {
    const std::int64_t least = std::max<std::int64_t>(1, options_.min_samples_leaf);
    if (node.all.rows() < 2 * least || (options_.max_depth > 0 && node.depth >= options_.max_depth)) return;
    NodeSplit best;
    draw_->for_node(node.path, [&](std::int64_t f) { return try_column(node, f, least, best); });
    if (best.feature >= 0) waiting.push_back({node, best, best.score / node.all.weight()});
  }

  // Tries all splits between a column's values. Returns whether it has different values.
  bool try_column(const Node& node, std::int64_t f, std::int64_t least, NodeSplit& best) const {
    const std::int32_t* list = lists_[static_cast<std::size_t>(f)].data();
    const double* x = data_.values[static_cast<std::size_t>(f)].data();
    const auto feature = static_cast<std::int32_t>(f);
    std::int64_t known = node.end;  // values that are not missing end here
    RowSums missing;
    while (known > node.begin && std::isnan(x[list[known - 1]])) missing.add(sums_of(list[--known]));
    if (known == node.begin) return false;
    const double low = x[list[node.begin]], high = x[list[known - 1]];
    const double share = options_.extra_trees ? draw_->threshold(node.path, f) : 0;
    const double threshold = low * (1 - share) + high * share;
    RowSums left;
    for (std::int64_t i = node.begin; i < known; ++i) {
      left.add(sums_of(list[i]));
      if (i + 1 == known) {
        if (missing.count != 0)
          consider(best, score_of(node.all, left, least), feature, i, i + 1, left, false, true);
        break;
      }
      const double here = x[list[i]], after = x[list[i + 1]];
      if (here == after) continue;
      if (options_.extra_trees && (threshold < here || (threshold >= after && after != high))) continue;
      const bool majority = missing.count == 0 && left.rows() * 2 >= node.all.rows();
      consider(best, score_of(node.all, left, least), feature, i, i + 1, left, majority);
      if (missing.count != 0) {
        RowSums with = left;
        with.add(missing);
        consider(best, score_of(node.all, with, least), feature, i, i + 1, with, true);
      }
    }
    return missing.count != 0 || low != high;
  }

  std::array<Node, 2> divide(const Node& node, const NodeSplit& split) {
    const auto feature = static_cast<std::size_t>(split.feature);
    const std::int32_t* list = lists_[feature].data();
    const double* x = data_.values[feature].data();
    ForestNode& out = tree_[static_cast<std::size_t>(node.index)];
    out.feature = static_cast<std::uint16_t>(feature);
    out.gain = maker_.gain(split, node.all);
    out.missing_left = split.missing_left;
    out.left = static_cast<std::int32_t>(tree_.size());
    out.threshold = split.only_missing_right ? std::numeric_limits<double>::infinity()
                                             : threshold_between(x[list[split.at]], x[list[split.next]]);
    const ForestNode written = out;
    for (std::int64_t i = node.begin; i < node.end; ++i) {
      const std::int32_t row = list[i];
      goes_left_[static_cast<std::size_t>(row)] =
          std::isnan(x[row]) ? written.missing_left : x[row] <= written.threshold;
    }
    for (auto& rows : lists_) {
      const auto begin = rows.begin() + node.begin, end = rows.begin() + node.end;
      spare_.clear();
      auto to = begin;
      for (auto i = begin; i != end; ++i) {
        if (goes_left_[static_cast<std::size_t>(*i)] != 0) {
          *to++ = *i;
        } else {
          spare_.push_back(*i);
        }
      }
      std::copy(spare_.begin(), spare_.end(), to);
    }
    tree_.push_back(maker_.leaf(split.left));
    tree_.push_back(maker_.leaf(node.all - split.left));
    const std::int64_t middle = node.begin + split.left.rows();
    Node left{written.left, node.depth + 1, 2 * node.path, node.begin, middle, split.left};
    Node right{written.left + 1, node.depth + 1, 2 * node.path + 1, middle, node.end, node.all - split.left};
    return {left, right};
  }

  const ExactData& data_;
  ForestOptions options_;
  NodeMaker maker_;
  std::optional<FeatureDraw> draw_;
  std::span<const std::uint8_t> counts_;
  ForestTree tree_;
  std::vector<std::vector<std::int32_t>> lists_;  // [feature]: rows of the sample, sorted within each node
  std::vector<std::int32_t> spare_;
  std::vector<std::uint8_t> goes_left_;  // [row]
};

std::unique_ptr<TreeGrower> ExactData::make_grower(const ForestOptions& options) const {
  return std::make_unique<ExactGrower>(*this, options);
}

}  // namespace

std::unique_ptr<GrowthData> exact_growth(const ForestData& data) {
  return std::make_unique<ExactData>(data);
}

}  // namespace umbra
