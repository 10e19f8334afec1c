// Walking rows through a run of trees that share the ranks of the values.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "engine/cpu/parallel.h"
#include "models/forest/forest.h"
#include "models/forest/walk_packed.h"
#include "models/forest/walk_ranks.h"

namespace umbra {

inline constexpr std::int64_t kWalkBlock = 2048;  ///< rows that walk all trees together
static_assert(kWalkBlock % kByteRows == 0);

/// A run of consecutive trees of a forest, for any type of code.
class ForestWalk {
 public:
  virtual ~ForestWalk() = default;
  /// The number of trees.
  virtual std::int64_t trees() const = 0;
  /// Adds the predictions of all trees, in order, to `sums`, for as many rows from `first` on as sums has.
  virtual void add(const ForestTable& table, std::int64_t first, std::span<double> sums) const = 0;
  /// use(tree, at): at[r] is the leaf of row first + r.
  using Use = std::function<void(std::int64_t, std::span<const std::uint32_t>)>;
  /// Calls `use` for each tree in order, for `count` rows from `first` on.
  virtual void visit(const ForestTable& table, std::int64_t first, std::int64_t count,
                     const Use& use) const = 0;
  /// Whether add_sorted() is faster than add() for many rows.
  virtual bool better_sorted() const = 0;
  /// add() for all rows of the table, on several threads; reports them to `stage`.
  virtual void add_sorted(const ForestTable& table, std::span<double> sums, Stage& stage) const = 0;
};

/// A run of trees whose ranks fit `Code`.
template <class Code>
class ForestWalkOf final : public ForestWalk {
 public:
  /// Packs the trees. `ranks`: the ranks of the thresholds of all of them.
  ForestWalkOf(std::span<const ForestTree* const> trees, ForestRanks ranks)
      : ranks_(std::move(ranks)), trees_(trees.size()), values_(trees.size()) {
    parallel_for(static_cast<std::int64_t>(trees.size()), [&](std::int64_t i) {
      const auto t = static_cast<std::size_t>(i);
      const ForestTree& tree = *trees[t];
      PackedTree<Code>& packed = trees_[t] =
          PackedTree<Code>(tree, [this](const ForestNode& node) { return ranks_.of_threshold(node); });
      if (packed.flat()) {
        for (std::size_t slot = 0; slot < packed.slots(); ++slot)
          values_[t].push_back(tree[packed.node(slot)].value);
      } else {
        for (const ForestNode& node : tree) values_[t].push_back(node.value);
      }
    });
    if (better_sorted()) leaf_order_ = leaves_from_left(*trees[0]);
  }

  std::int64_t trees() const override { return static_cast<std::int64_t>(trees_.size()); }

  void add(const ForestTable& table, std::int64_t first, std::span<double> sums) const override {
    Block block(ranks_, static_cast<std::int64_t>(sums.size()));
    block.rows.missing = ranks_.code_rows(table, first, block.count, block.codes.data());
    add(block, sums.data());
  }

  void visit(const ForestTable& table, std::int64_t first, std::int64_t count,
             const Use& use) const override {
    Block block(ranks_, count);
    block.rows.missing = ranks_.code_rows(table, first, count, block.codes.data());
    for (std::size_t t = 0; t < trees_.size(); ++t) {
      block.walk(trees_[t]);
      use(static_cast<std::int64_t>(t), std::span(block.at).first(static_cast<std::size_t>(count)));
    }
  }

  bool better_sorted() const override { return trees_.size() > kFewTrees && trees_[0].nodes() > kBigTree; }

  /// Rows that share a leaf of the first tree walk together: they are similar, so they visit the same few
  /// nodes of the other trees, which stay in the caches.
  void add_sorted(const ForestTable& table, std::span<double> sums, Stage& stage) const override {
    for (std::int64_t first = 0; first < table.rows(); first += kSorted) {
      const std::int64_t count = std::min(kSorted, table.rows() - first);
      add_sorted(table, first, count, sums.data() + first);
      stage.add(count);
    }
  }

 private:
  static constexpr std::int64_t kSorted = 1 << 20;  // rows sorted together: 16 MB of ranks of 8 columns
  static constexpr std::size_t kFewTrees = 3;       // up to this number sorting does not pay off
  static constexpr std::size_t kBigTree = 1 << 12;  // nodes

  // Rows that walk together, padded to whole vectors.
  struct Block {
    Block(const ForestRanks& ranks, std::int64_t rows_in)
        : count(rows_in),
          padded((count + kByteRows - 1) / kByteRows * kByteRows),
          codes(static_cast<std::size_t>(padded * ranks.stride()), 0),
          slots(static_cast<std::size_t>(padded)),
          at(slots.size()),
          rows{codes.data(), padded, ranks.stride(), false} {}
    void walk(const PackedTree<Code>& tree) {
      tree.walk_top(rows, slots.data());
      tree.walk_rest(rows, slots.data(), at.data());
    }
    std::int64_t count, padded;
    std::vector<Code> codes;
    std::vector<std::uint16_t> slots;
    std::vector<std::uint32_t> at;
    CodedRows<Code> rows;
  };

  void add(Block& block, double* sums) const {
    const auto count = static_cast<std::size_t>(block.count);
    for (std::size_t t = 0; t < trees_.size(); ++t) {
      const double* values = values_[t].data();
      if (trees_[t].flat()) {
        trees_[t].walk_top(block.rows, block.slots.data());
        for (std::size_t r = 0; r < count; ++r) sums[r] += values[block.slots[r]];
      } else {
        block.walk(trees_[t]);
        for (std::size_t r = 0; r < count; ++r) sums[r] += values[block.at[r]];
      }
    }
  }

  void add_sorted(const ForestTable& table, std::int64_t first, std::int64_t count, double* sums) const {
    const std::int64_t stride = ranks_.stride();
    std::vector<Code> codes(static_cast<std::size_t>(count * stride));
    std::vector<std::uint32_t> leaf(static_cast<std::size_t>(count));
    std::atomic<bool> missing = false;
    parallel_chunks(count, kWalkBlock, [&](std::int64_t begin, std::int64_t end) {
      Block block(ranks_, end - begin);
      block.rows.missing = ranks_.code_rows(table, first + begin, block.count, block.codes.data());
      if (block.rows.missing) missing = true;
      std::copy_n(block.codes.data(), block.count * stride, codes.data() + begin * stride);
      block.walk(trees_[0]);
      for (std::int64_t r = 0; r < block.count; ++r)
        leaf[static_cast<std::size_t>(begin + r)] = leaf_order_[block.at[static_cast<std::size_t>(r)]];
    });
    const std::vector<std::uint32_t> order = order_of(leaf, leaf_order_.size());
    parallel_chunks(count, kWalkBlock, [&](std::int64_t begin, std::int64_t end) {
      Block block(ranks_, end - begin);
      block.rows.missing = missing;
      std::vector<double> own(static_cast<std::size_t>(block.count));
      const std::uint32_t* row = order.data() + begin;
      for (std::int64_t r = 0; r < block.count; ++r) {
        std::copy_n(codes.data() + row[r] * stride, stride, block.codes.data() + r * stride);
        own[static_cast<std::size_t>(r)] = sums[row[r]];
      }
      add(block, own.data());
      for (std::int64_t r = 0; r < block.count; ++r) sums[row[r]] = own[static_cast<std::size_t>(r)];
    });
  }

  // Rows by ascending key below `keys`.
  static std::vector<std::uint32_t> order_of(std::span<const std::uint32_t> key, std::size_t keys) {
    std::vector<std::uint32_t> next(keys + 1, 0), order(key.size());
    for (const std::uint32_t k : key) ++next[k + 1];
    std::partial_sum(next.begin(), next.end(), next.begin());
    for (std::size_t r = 0; r < key.size(); ++r) order[next[key[r]]++] = static_cast<std::uint32_t>(r);
    return order;
  }

  // [node]: number of leaves to the left of its leftmost leaf.
  static std::vector<std::uint32_t> leaves_from_left(const ForestTree& tree) {
    std::vector<std::uint32_t> leaves(tree.size(), 1), out(tree.size(), 0);
    for (std::size_t i = tree.size(); i-- > 0;) {  // children come after their parents
      const auto left = static_cast<std::size_t>(tree[i].left);
      if (!tree[i].leaf()) leaves[i] = leaves[left] + leaves[left + 1];
    }
    for (std::size_t i = 0; i < tree.size(); ++i) {
      if (tree[i].leaf()) continue;
      const auto left = static_cast<std::size_t>(tree[i].left);
      out[left] = out[i];
      out[left + 1] = out[i] + leaves[left];
    }
    return out;
  }

  ForestRanks ranks_;
  std::vector<PackedTree<Code>> trees_;
  std::vector<std::vector<double>> values_;  // [tree][slot], or [tree][node] of trees that are not flat
  std::vector<std::uint32_t> leaf_order_;    // of the first tree where better_sorted()
};

}  // namespace umbra
