#include "models/forest/predict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/cpu/parallel.h"
#include "models/forest/walk.h"

namespace umbra {
namespace {

constexpr std::int64_t kBlock = 2048;  // rows that go through all trees together: 32 KB of ranks

}  // namespace

void check_tree(const ForestTree& tree, std::int64_t features, std::string_view where, std::int64_t number) {
  const auto size = static_cast<std::int64_t>(tree.size());
  require(size > 0, where, ": tree ", number, " has no node");
  std::int64_t next =
      1;  // children come in pairs; every node but the root is the child of one node before it
  std::vector<std::uint8_t> seen(tree.size(), 0);
  for (std::int64_t i = 0; i < size; ++i) {
    const ForestNode& node = tree[static_cast<std::size_t>(i)];
    require(std::isfinite(node.value), where, ": node ", i, " of tree ", number, " predicts ", node.value);
    if (node.leaf()) continue;
    require(node.left > i && node.left + 1 < size && seen[static_cast<std::size_t>(node.left)] == 0, where,
            ": node ", i, " of tree ", number, " has its children at ", node.left, ", where they cannot be");
    require(node.feature < features, where, ": node ", i, " of tree ", number, " splits column ",
            node.feature, " of ", features);
    require(!std::isnan(node.threshold), where, ": the threshold of node ", i, " of tree ", number,
            " is not a number");
    seen[static_cast<std::size_t>(node.left)] = seen[static_cast<std::size_t>(node.left) + 1] = 1;
    next += 2;
  }
  require(next == size, where, ": tree ", number, " has ", size - next, " nodes that nothing leads to");
}

class ForestPredictor::Walks {
 public:
  virtual ~Walks() = default;
  virtual std::int64_t features() const = 0;
  virtual void visit(const ForestTable& table, Visitor& visitor) const = 0;
};

template <class Code>
class ForestPredictor::WalksOf final : public Walks {
 public:
  WalksOf(const std::vector<ForestTree>& trees, std::vector<std::vector<double>> thresholds)
      : thresholds_(std::move(thresholds)) {
    for (const ForestTree& tree : trees) {
      walks_.emplace_back(tree, [this](const ForestNode& node) {
        const auto& sorted = thresholds_[node.feature];
        return static_cast<Code>(std::lower_bound(sorted.begin(), sorted.end(), node.threshold) -
                                 sorted.begin());
      });
    }
  }
  std::int64_t features() const override { return static_cast<std::int64_t>(thresholds_.size()); }

  void visit(const ForestTable& table, Visitor& visitor) const override {
    using Walk = WalkTree<Code>;
    const std::int64_t width = features();
    parallel_chunks(table.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      std::vector<Code> ranks(static_cast<std::size_t>((end - begin) * width));  // [row][column]
      for (std::int64_t f = 0; f < width; ++f) rank_column(table, f, begin, end, ranks.data() + f, width);
      std::vector<std::uint32_t> at(static_cast<std::size_t>(end - begin) + Walk::kTogether);
      std::array<const Code*, Walk::kTogether> codes;
      for (std::size_t t = 0; t < walks_.size(); ++t) {
        std::fill(at.begin(), at.end(), 0);
        for (std::int64_t r = 0; r < end - begin; r += Walk::kTogether) {
          for (std::int64_t k = 0; k < Walk::kTogether; ++k)
            codes[static_cast<std::size_t>(k)] = ranks.data() + std::min(r + k, end - begin - 1) * width;
          walks_[t].walk(walks_[t].depth, codes.data(), at.data() + r);
        }
        visitor.visit(begin, static_cast<std::int64_t>(t),
                      std::span(at).first(static_cast<std::size_t>(end - begin)));
      }
    });
  }

 private:
  // rank: the number of thresholds below the value, so that value <= threshold j says rank <= j.
  void rank_column(const ForestTable& table, std::int64_t f, std::int64_t begin, std::int64_t end,
                   Code* ranks, std::int64_t stride) const {
    const auto& sorted = thresholds_[static_cast<std::size_t>(f)];
    const double* data = sorted.data();
    std::visit(
        [&](auto values) {
          for (std::int64_t i = begin; i < end; ++i) {
            const auto x = static_cast<double>(values[static_cast<std::size_t>(i)]);
            std::size_t at = 0;
            for (std::size_t n = sorted.size(); n > 0;) {
              const std::size_t half = (n + 1) / 2;
              at += data[at + half - 1] < x ? half : 0;
              n -= half;
            }
            ranks[(i - begin) * stride] = std::isnan(x) ? WalkTree<Code>::kMissing : static_cast<Code>(at);
          }
        },
        table.column(f));
  }

  std::vector<std::vector<double>> thresholds_;  // [column], ascending
  std::vector<WalkTree<Code>> walks_;
};

ForestPredictor::ForestPredictor(const Forest& forest, std::int64_t trees, int depth) {
  require(trees >= 0 && trees <= static_cast<std::int64_t>(forest.trees.size()), "forest: ", trees,
          " trees are asked for, the forest has ", forest.trees.size());
  const std::size_t used = trees == 0 ? forest.trees.size() : static_cast<std::size_t>(trees);
  require(used > 0, "forest: it has no tree to predict with");
  std::vector<ForestTree> cut;
  std::vector<std::vector<double>> thresholds(forest.features.size());
  for (std::size_t t = 0; t < used; ++t) {
    check_tree(forest.trees[t], static_cast<std::int64_t>(forest.features.size()), "forest",
               static_cast<std::int64_t>(t));
    cut.push_back(truncated(forest.trees[t], depth));
    std::vector<double>& values = values_.emplace_back();
    for (const ForestNode& node : cut.back()) {
      values.push_back(node.value);
      if (!node.leaf()) thresholds[node.feature].push_back(node.threshold);
    }
  }
  std::size_t most = 0;
  for (auto& sorted : thresholds) {
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    most = std::max(most, sorted.size());
  }
  if (most < std::numeric_limits<std::uint16_t>::max()) {
    walks_ = std::make_unique<WalksOf<std::uint16_t>>(cut, std::move(thresholds));
  } else {
    walks_ = std::make_unique<WalksOf<std::uint32_t>>(cut, std::move(thresholds));
  }
}
ForestPredictor::~ForestPredictor() = default;
ForestPredictor::ForestPredictor(ForestPredictor&&) noexcept = default;

void ForestPredictor::visit(const ForestTable& table, Visitor& visitor) const {
  require(table.features() == walks_->features(), "forest: the data has ", table.features(),
          " columns, the forest was fitted on ", walks_->features());
  walks_->visit(table, visitor);
}

std::vector<double> ForestPredictor::predict(const ForestTable& table) const {
  struct Mean final : Visitor {
    void visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> at) override {
      const double* values = (*leaf_values)[static_cast<std::size_t>(tree)].data();
      double* to = out.data() + first_row;
      for (std::size_t r = 0; r < at.size(); ++r) to[r] += values[at[r]];
      if (static_cast<std::size_t>(tree) + 1 < leaf_values->size()) return;
      for (std::size_t r = 0; r < at.size(); ++r) to[r] /= static_cast<double>(leaf_values->size());
    }
    const std::vector<std::vector<double>>* leaf_values = nullptr;
    std::vector<double> out;
  };
  Mean mean;
  mean.leaf_values = &values_;
  mean.out.assign(static_cast<std::size_t>(table.rows()), 0);
  visit(table, mean);
  return mean.out;
}

}  // namespace umbra
