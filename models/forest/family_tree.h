// The trees of one sample for several values of min_samples_leaf while they grow: one tree, with forks where
// these values lead to different splits.
#pragma once

#include <cstdint>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

/// The nodes of a family of trees and its forks.
class FamilyTree {
 public:
  /// Removes all nodes and forks.
  void clear() {
    nodes_.clear();
    forks_.clear();
  }
  /// Appends a node and returns its index.
  std::int32_t add(const ForestNode& node) {
    nodes_.push_back(node);
    return static_cast<std::int32_t>(nodes_.size()) - 1;
  }
  /// The node at an index.
  ForestNode& node(std::int32_t index) { return nodes_[static_cast<std::size_t>(index)]; }

  /// Replaces the node at `index` by `other` in the trees of all leaf sizes from `member` on. Returns the
  /// index of the new node. A node forks at most once; the new node may fork again.
  std::int32_t fork(std::int32_t index, std::size_t member, const ForestNode& other) {
    forks_.push_back({index, member, add(other)});
    return forks_.back().other;
  }

  /// The tree of one leaf size, with its nodes in the order in which it would have grown alone.
  ForestTree tree_of(std::size_t member) const;

 private:
  struct Fork {
    std::int32_t index;
    std::size_t member;
    std::int32_t other;
  };
  ForestTree nodes_;
  std::vector<Fork> forks_;
};

}  // namespace umbra
