// Sums of the predictions of families of trees, row by row: one sum per leaf size and depth, from one walk
// of the tree of the smallest leaf size. The other trees of a family equal that tree except at a few forks.
// Few rows reach a fork; these walk on individually.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "models/forest/predict.h"

namespace umbra {

using Family = std::vector<ForestTree>;  ///< one tree per leaf size

/// For a row that reached a leaf of the first tree of a family: its node in the other trees.
struct FamilyForks {
  /// Compares all trees of `family` with its first.
  explicit FamilyForks(const Family& family);
  std::vector<std::uint32_t> at;     ///< [node of the first tree][leaf size]: node in that tree
  std::vector<std::uint8_t> forked;  ///< [node of the first tree]: 1 if an inner node in another tree
};

/// Value: double or std::int64_t; sums of the latter do not depend on their order.
template <class Value>
class FamilySums final : public ForestPredictor::Visitor {
 public:
  /// `table` must outlive it. `depths` ascend, with 0 (no limit) last; `leaf_sizes`: the number of trees of
  /// a family.
  FamilySums(const ForestTable& table, std::span<const int> depths, std::size_t leaf_sizes);

  /// Adds families to the sums, in order. value_of(v): the number to add for a prediction v. unseen:
  /// [family][row / 64], a bit per row, set for the rows to add; empty: all rows.
  void add(std::span<const Family> families, const std::function<Value(double)>& value_of,
           std::span<const std::vector<std::uint64_t>> unseen = {});

  std::size_t rows() const { return rows_; }  ///< rows of the table
  /// The sum for a row; leaf_size and depth are indices into the lists of the constructor.
  Value sum(std::size_t row, std::size_t leaf_size, std::size_t depth) const {
    return sums_[row * width_ + leaf_size * depths_.size() + depth];
  }
  /// The number of trees that were added for the row; 0 if add() had no `unseen`.
  std::int32_t trees(std::size_t row) const { return trees_[row]; }

  /// Called by ForestPredictor::visit().
  void visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> at) override;

 private:
  struct Leaves {
    explicit Leaves(const Family& family) : forks(family) {}
    FamilyForks forks;
    bool any_fork = false;
    std::vector<Value> add;                   // [node of the first tree][width]: 0 where forked
    std::vector<std::vector<Value>> at_fork;  // [leaf size]: [node][depth], where there are forks
  };
  Leaves leaves_of(const Family& family, const std::function<Value(double)>& value_of) const;
  void add_row(const Leaves& leaves, std::uint32_t node, std::size_t row);
  void walk_on(std::int64_t tree, std::uint32_t node, std::size_t row);

  const ForestTable& table_;
  std::vector<int> depths_;
  std::size_t leaf_sizes_, rows_, width_;
  std::vector<Value> sums_;           // [row][leaf size][depth]
  std::vector<std::int32_t> trees_;   // [row]
  std::span<const Family> families_;  // of the call to add()
  std::span<const std::vector<std::uint64_t>> unseen_;
  std::vector<Leaves> leaves_;
};

}  // namespace umbra
