// Predictions of a forest. Values become ranks among the thresholds of their column, which fit 16 (or 32)
// bits; a tree is walked on ranks by sixteen rows at a time and says exactly what comparing values with
// thresholds would.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

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
  class Walks;
  template <class Code>
  class WalksOf;
  std::unique_ptr<Walks> walks_;
  std::vector<std::vector<double>> values_;  // [tree][node]
};

/// Throws Error naming `where`, the tree and the node when a tree is damaged.
void check_tree(const ForestTree& tree, std::int64_t features, std::string_view where, std::int64_t number);

}  // namespace umbra
