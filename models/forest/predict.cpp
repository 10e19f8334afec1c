#include "models/forest/predict.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "engine/cpu/parallel.h"
#include "models/forest/walk_forest.h"

namespace umbra {
namespace {

using Thresholds = std::vector<std::vector<double>>;  // [column], ascending, each once

constexpr std::size_t kMostBytes = std::numeric_limits<std::uint8_t>::max() - 1;
constexpr std::size_t kShortRun = 8;  // trees for which ranking the rows again does not pay off

std::size_t most_of(const Thresholds& t) {
  std::size_t most = 0;
  for (const auto& column : t) most = std::max(most, column.size());
  return most;
}

Thresholds thresholds_of(std::span<const ForestTree* const> trees, std::size_t columns) {
  Thresholds out(columns);
  for (const ForestTree* tree : trees) {
    for (const ForestNode& node : *tree) {
      if (!node.leaf()) out[node.feature].push_back(node.threshold);
    }
  }
  parallel_for(static_cast<std::int64_t>(columns), [&](std::int64_t f) {
    auto& column = out[static_cast<std::size_t>(f)];
    std::sort(column.begin(), column.end());
    column.erase(std::unique(column.begin(), column.end()), column.end());
  });
  return out;
}

Thresholds merged(const Thresholds& a, const Thresholds& b) {
  Thresholds out(a.size());
  for (std::size_t f = 0; f < a.size(); ++f)
    std::set_union(a[f].begin(), a[f].end(), b[f].begin(), b[f].end(), std::back_inserter(out[f]));
  return out;
}

// Runs of trees whose ranks fit bytes, which walk several times faster than wider ones; empty if such runs
// would be short.
std::vector<std::unique_ptr<ForestWalk>> byte_walks(std::span<const ForestTree* const> trees,
                                                    std::size_t columns) {
  std::vector<std::unique_ptr<ForestWalk>> out;
  std::size_t begin = 0;
  Thresholds run(columns);
  const auto finish = [&](std::size_t end) {
    out.push_back(std::make_unique<ForestWalkOf<std::uint8_t>>(trees.subspan(begin, end - begin),
                                                               ForestRanks(std::move(run))));
  };
  for (std::size_t t = 0; t < trees.size(); ++t) {
    Thresholds own = thresholds_of(trees.subspan(t, 1), columns);
    Thresholds both = merged(run, own);
    if (most_of(both) <= kMostBytes) {
      run = std::move(both);
      continue;
    }
    if (t - begin < kShortRun || most_of(own) > kMostBytes) return {};
    finish(t);
    begin = t;
    run = std::move(own);
  }
  finish(trees.size());
  return out;
}

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
    require(node.left > i && node.left < size - 1 && seen[static_cast<std::size_t>(node.left)] == 0, where,
            ": node ", i, " of tree ", number, " has its children at ", node.left, ", which is not possible");
    require(node.feature < features, where, ": node ", i, " of tree ", number, " splits column ",
            node.feature, " of ", features);
    require(!std::isnan(node.threshold), where, ": the threshold of node ", i, " of tree ", number,
            " is not a number");
    seen[static_cast<std::size_t>(node.left)] = seen[static_cast<std::size_t>(node.left) + 1] = 1;
    next += 2;
  }
  require(next == size, where, ": tree ", number, " has ", size - next,
          " nodes that are not the child of any node");
}

ForestPredictor::ForestPredictor(const Forest& forest, std::int64_t trees, int depth)
    : columns_(static_cast<std::int64_t>(forest.features.size())) {
  require(trees >= 0 && trees <= static_cast<std::int64_t>(forest.trees.size()), "forest: ", trees,
          " trees are requested, the forest has ", forest.trees.size());
  const std::size_t used = trees == 0 ? forest.trees.size() : static_cast<std::size_t>(trees);
  require(columns_ <= kMostFeatures, "forest: it has ", columns_, " columns, at most ", kMostFeatures,
          " are possible");
  require(used > 0, "forest: it has no tree to predict with");
  std::vector<ForestTree> cut(depth == 0 ? 0 : used);
  std::vector<const ForestTree*> all;
  for (std::size_t t = 0; t < used; ++t) {
    check_tree(forest.trees[t], columns_, "forest", static_cast<std::int64_t>(t));
    if (depth != 0) cut[t] = truncated(forest.trees[t], depth);
    all.push_back(depth == 0 ? &forest.trees[t] : &cut[t]);
  }
  const auto columns = static_cast<std::size_t>(columns_);
  walks_ = byte_walks(all, columns);
  if (!walks_.empty()) return;
  Thresholds thresholds = thresholds_of(all, columns);
  if (most_of(thresholds) < std::numeric_limits<std::uint16_t>::max()) {
    walks_.push_back(std::make_unique<ForestWalkOf<std::uint16_t>>(all, ForestRanks(std::move(thresholds))));
  } else {
    walks_.push_back(std::make_unique<ForestWalkOf<std::uint32_t>>(all, ForestRanks(std::move(thresholds))));
  }
}
ForestPredictor::~ForestPredictor() = default;
ForestPredictor::ForestPredictor(ForestPredictor&&) noexcept = default;

void ForestPredictor::check(const ForestTable& table) const {
  require(table.features() == columns_, "forest: the data has ", table.features(),
          " columns, the forest was fitted on ", columns_);
}

void ForestPredictor::visit(const ForestTable& table, Visitor& visitor) const {
  check(table);
  parallel_chunks(table.rows(), kWalkBlock, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t first_tree = 0;
    for (const auto& walk : walks_) {
      walk->visit(table, begin, end - begin, [&](std::int64_t tree, std::span<const std::uint32_t> at) {
        visitor.visit(begin, first_tree + tree, at);
      });
      first_tree += walk->trees();
    }
  });
}

std::vector<double> ForestPredictor::predict(const ForestTable& table, const StageReport& progress) const {
  check(table);
  std::int64_t trees = 0;
  for (const auto& walk : walks_) trees += walk->trees();
  std::vector<double> means(static_cast<std::size_t>(table.rows()), 0);
  const bool sorted = walks_.size() == 1 && walks_[0]->better_sorted();
  Stage stage(progress, "predicting", table.rows());
  if (sorted) walks_[0]->add_sorted(table, means, stage);
  parallel_chunks(table.rows(), kWalkBlock, [&](std::int64_t begin, std::int64_t end) {
    const std::span<double> own =
        std::span(means).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    for (const auto& walk : walks_) {
      if (!sorted) walk->add(table, begin, own);
    }
    if (!sorted) stage.add(end - begin);
    for (double& mean : own) mean /= static_cast<double>(trees);
  });
  return means;
}

}  // namespace umbra
