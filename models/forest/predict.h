// Predictions of a forest. Values become ranks among the thresholds of their column, which fit 8, 16 or 32
// bits; trees are walked on ranks by many rows at a time and say exactly what comparing values with
// thresholds would. The sum over the trees runs in their order for every row.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

class ForestWalk;

class ForestPredictor {
 public:
  /// Of the first `trees` trees (0: all), each cut at `depth` (0: not). Throws Error when a tree is damaged:
  /// a child outside the tree or before its parent, a column that is not there, a threshold that is no
  /// number.
  explicit ForestPredictor(const Forest& forest, std::int64_t trees = 0, int depth = 0);
  ~ForestPredictor();
  ForestPredictor(ForestPredictor&&) noexcept;

  /// Mean of the trees for every row: [rows]. The table's columns are the forest's, in order.
  std::vector<double> predict(const ForestTable& table) const;

  /// Calls use(first_row, rows, tree, at) for blocks of rows and every tree, trees in ascending order within
  /// a block, blocks side by side on several threads: at[r] is the node of row first_row + r.
  class Visitor {
   public:
    virtual ~Visitor() = default;
    virtual void visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> at) = 0;
  };
  void visit(const ForestTable& table, Visitor& visitor) const;

 private:
  void check(const ForestTable& table) const;

  std::int64_t columns_;
  std::vector<std::unique_ptr<ForestWalk>> walks_;  // in the order of the trees
};

/// Throws Error naming `where`, the tree and the node when a tree is damaged.
void check_tree(const ForestTree& tree, std::int64_t features, std::string_view where, std::int64_t number);

}  // namespace umbra
