// Growing on bins, depth first. The larger child's histogram is the parent's minus the smaller child's.
//
// The trees of a family, which differ in min_samples_leaf, grow as one. The best split for the smallest
// value is also the best for a larger value if it leaves enough rows on both sides, because a larger value
// only removes candidates. Where it does not, the trees of the larger values continue alone (a fork). Nodes
// have few rows there, so forks are cheap.
#pragma once

#include <optional>

#include "models/forest/binned_splits.h"
#include "models/forest/family_tree.h"

namespace umbra {

/// The grower of BinnedData.
template <class Code, int kSlots>
class BinnedGrower final : public TreeGrower {
 public:
  using Data = BinnedData<Code, kSlots>;  ///< the data it grows on
  using Node = BinnedNode<Code>;          ///< a node that waits to be split

  /// `data` must outlive it.
  BinnedGrower(const Data& data, const ForestOptions& options)
      : data_(data),
        options_(options),
        maker_{data.fixed.center, data.fixed.unit, data.fixed.weight_unit},
        records_(data),
        splits_(data, records_, options.extra_trees) {}

  ForestTree grow(std::int64_t tree, std::span<const std::uint8_t> counts) override {
    return std::move(grow_family(tree, counts, {&options_.min_samples_leaf, 1})[0]);
  }
  std::vector<ForestTree> grow_family(std::int64_t tree, std::span<const std::uint8_t> counts,
                                      std::span<const std::int64_t> least) override {
    draw_.emplace(options_, data_.features, tree);
    least_.assign(least.begin(), least.end());
    for (std::int64_t& rows : least_) rows = std::max<std::int64_t>(1, rows);
    tree_.clear();
    Node root;
    root.end = records_.compact(counts, root.all);
    root.last = least_.size();
    root.windows = data_.root_windows();
    root.index = tree_.add(maker_.leaf(root.all));
    if (options_.max_leaf_nodes > 0) {
      grow_best_first(std::move(root));
    } else if (may_split(root)) {
      if (root.end - root.begin > kSparseRows) root.histogram = records_.summed(root);
      grow_depth_first(std::move(root));
      grow_forks();
    }
    std::vector<ForestTree> trees;
    for (std::size_t member = 0; member < least_.size(); ++member) trees.push_back(tree_.tree_of(member));
    return trees;
  }

  void add_out_of_bag(const ForestTree& tree, std::span<const std::uint8_t> counts,
                      std::span<const std::uint8_t> mask, std::span<const int> depths,
                      std::span<std::int64_t> sums, std::span<std::int32_t> trees) override;

 private:
  // Whether the smallest of its leaf sizes may split the node; if not, no larger one may.
  bool may_split(const Node& node) const {
    return node.all.rows() >= 2 * least_[node.first] &&
           (options_.max_depth == 0 || node.depth < options_.max_depth);
  }

  void write_split(const Node& node, const NodeSplit& split) {
    const std::int32_t left = tree_.add(maker_.leaf(split.left));
    tree_.add(maker_.leaf(node.all - split.left));
    ForestNode& out = tree_.node(node.index);
    out.left = left;
    out.gain = maker_.gain(split, node.all);
    splits_.write(node.windows, split, out);
  }

  std::array<Node, 2> children(const Node& node, const NodeSplit& split) {
    const ForestNode& out = tree_.node(node.index);
    std::array<Node, 2> pair;
    for (int right = 0; right < 2; ++right) {
      Node& child = pair[static_cast<std::size_t>(right)];
      child.index = out.left + right;
      child.first = node.first;
      child.last = node.last;
      child.depth = node.depth + 1;
      child.path = 2 * node.path + static_cast<std::uint64_t>(right);
      child.side = 1 - node.side;
      child.begin = node.begin + (right != 0 ? split.left.rows() : 0);
      child.end = right != 0 ? node.end : node.begin + split.left.rows();
      child.all = right != 0 ? node.all - split.left : split.left;
      child.windows = node.windows;
      if constexpr (sizeof(Code) > 1) {
        const std::size_t f = out.feature;
        if (right == 0) child.windows.high[f] = static_cast<Code>(out.code);
        if (right != 0 && out.code < child.windows.high[f])
          child.windows.low[f] = static_cast<Code>(out.code + 1);
      }
    }
    return pair;
  }

  static bool is_sparse(const Node& node) { return node.end - node.begin <= kSparseRows; }

  // The histograms of the two children of `parent`; only children that may be split need one.
  void sum_children(Node& parent, std::array<Node, 2>& pair, std::size_t split_feature) {
    const std::size_t small = pair[0].all.rows() <= pair[1].all.rows() ? 0 : 1, large = 1 - small;
    if constexpr (sizeof(Code) > 1) {
      // The window of the split column is refitted in both children; all others stay, so that subtraction
      // is valid.
      for (Node& child : pair) child.windows.fit(split_feature);
    }
    if (is_sparse(pair[large]) || !may_split(pair[large]))  // and then the smaller one needs none either
      return records_.give_back(std::move(parent.histogram));
    pair[large].histogram = std::move(parent.histogram);
    Node viewed;  // the smaller child's records through the parent's windows
    viewed.side = pair[small].side;
    viewed.begin = pair[small].begin;
    viewed.end = pair[small].end;
    viewed.windows = parent.windows;
    Histogram h = records_.summed(viewed);
    records_.subtract(pair[large].histogram, h);
    if constexpr (sizeof(Code) > 1) {
      const auto anew = [&](const Node& child, RowSums* histogram) {
        if (child.windows.low == parent.windows.low && child.windows.shift == parent.windows.shift) return;
        std::fill_n(histogram + split_feature * kBins, kBins, RowSums{});
        records_.sum_columns(child, split_feature, split_feature + 1, histogram);
      };
      anew(pair[large], pair[large].histogram.get());
      anew(pair[small], h.get());
    }
    if (!is_sparse(pair[small]) && may_split(pair[small])) {
      pair[small].histogram = std::move(h);
    } else {
      records_.give_back(std::move(h));
    }
  }

  // Leaf sizes that this split leaves too few rows are moved to a fork, which grows later.
  void fork_if_needed(Node& node, const NodeSplit& split) {
    if (split.feature < 0) return;  // larger leaf sizes have no split either
    const std::int64_t fewest = std::min(split.left.rows(), node.all.rows() - split.left.rows());
    std::size_t agree = node.first + 1;
    while (agree < node.last && least_[agree] <= fewest) ++agree;
    if (agree == node.last) return;
    Node other;
    other.index = tree_.fork(node.index, agree, maker_.leaf(node.all));
    other.first = agree;
    other.last = std::exchange(node.last, agree);
    other.depth = node.depth;
    other.path = node.path;
    other.end = node.end - node.begin;
    other.all = node.all;
    other.windows = node.windows;
    if (!may_split(other)) return;
    records_.set_aside(node);
    forks_.push_back(std::move(other));
  }

  void grow_forks() {
    while (!forks_.empty()) {
      Node node = std::move(forks_.back());
      forks_.pop_back();
      records_.bring_back(node.end);
      if (!is_sparse(node)) node.histogram = records_.summed(node);
      grow_depth_first(std::move(node));
    }
  }

  // Left children first. The stack is explicit: a tree may be as deep as it has rows.
  void grow_depth_first(Node root) {
    std::vector<Node> waiting;
    waiting.push_back(std::move(root));
    while (!waiting.empty()) {
      Node node = std::move(waiting.back());
      waiting.pop_back();
      const NodeSplit split = splits_.best(node, least_[node.first], *draw_);
      fork_if_needed(node, split);
      if (split.feature < 0) {
        records_.give_back(std::move(node.histogram));
        continue;
      }
      write_split(node, split);
      std::array<Node, 2> pair = children(node, split);
      if (!may_split(pair[0]) && !may_split(pair[1])) {
        records_.give_back(std::move(node.histogram));
        continue;
      }
      const ForestNode written = tree_.node(node.index);
      records_.partition(node, written, split.left.rows());
      sum_children(node, pair, written.feature);
      for (std::size_t child : {1, 0}) {
        if (may_split(pair[child])) waiting.push_back(std::move(pair[child]));
      }
    }
  }

  // Always splits the node with the largest gain next, until there are max_leaf_nodes leaves.
  void grow_best_first(Node root);

  const Data& data_;
  ForestOptions options_;
  NodeMaker maker_;
  std::optional<FeatureDraw> draw_;
  std::vector<std::int64_t> least_;  // rows per leaf, ascending
  FamilyTree tree_;
  BinnedRecords<Code, kSlots> records_;
  BinnedSplits<Code, kSlots> splits_;
  std::vector<Node> forks_;
};

}  // namespace umbra
