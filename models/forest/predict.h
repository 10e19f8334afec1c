// Predictions of a forest. Values become ranks among the thresholds of their column, in 8, 16 or 32 bits.
// Many rows at a time walk the trees on ranks; the result is exactly that of comparing values with
// thresholds. Every row sums its trees in their order.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

class ForestWalk;

/// A forest prepared for prediction.
class ForestPredictor {
 public:
  /// Uses the first `trees` trees (0: all), each cut at `depth` (0: not cut). Throws Error when a tree is
  /// damaged: a child outside the tree or before its parent, a column that does not exist, a threshold that
  /// is NaN.
  explicit ForestPredictor(const Forest& forest, std::int64_t trees = 0, int depth = 0);
  ~ForestPredictor();
  /// Moves.
  ForestPredictor(ForestPredictor&&) noexcept;

  /// The mean of the trees for every row: [rows]. The columns of `table` must be those of the forest, in
  /// order; throws Error when their number differs.
  std::vector<double> predict(const ForestTable& table, const StageReport& progress = {}) const;

  /// Receives the leaves of all rows from ForestPredictor::visit().
  class Visitor {
   public:
    virtual ~Visitor() = default;
    /// Called for every block of rows and every tree: at[r] is the leaf of row first_row + r in tree number
    /// `tree`. Trees ascend within a block; several threads call it for different blocks.
    virtual void visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> at) = 0;
  };
  /// Walks all rows down all trees and passes the leaves to `visitor`.
  void visit(const ForestTable& table, Visitor& visitor) const;

 private:
  void check(const ForestTable& table) const;

  std::int64_t columns_;
  std::vector<std::unique_ptr<ForestWalk>> walks_;  // in the order of the trees
};

/// Throws Error with `where`, the `number` of the tree and the node when a tree is damaged.
void check_tree(const ForestTree& tree, std::int64_t features, std::string_view where, std::int64_t number);

}  // namespace umbra
