// Trees of one sample for several least numbers of rows per leaf, while they grow: one tree, with forks where
// these numbers ask for different splits.
#pragma once

#include <cstdint>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

class FamilyTree {
 public:
  void clear() {
    nodes_.clear();
    forks_.clear();
  }
  std::int32_t add(const ForestNode& node) {
    nodes_.push_back(node);
    return static_cast<std::int32_t>(nodes_.size()) - 1;
  }
  ForestNode& node(std::int32_t index) { return nodes_[static_cast<std::size_t>(index)]; }

  /// From `member` on, leaf sizes find another node at `index`; a node forks at most once, the other node may
  /// fork again. The index of that other node.
  std::int32_t fork(std::int32_t index, std::size_t member, const ForestNode& other) {
    forks_.push_back({index, member, add(other)});
    return forks_.back().other;
  }

  /// The tree of one leaf size, its nodes in the order in which it would have grown alone.
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
