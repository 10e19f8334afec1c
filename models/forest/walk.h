// Walking rows of codes down a tree, sixteen at a time, to hide the latency of memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

/// A node of a WalkTree. A leaf leads to itself for any code.
template <class Code>
struct WalkStep {
  std::uint32_t left;    ///< left child; left + 1 is the right one
  Code code;             ///< rows with a greater code go right
  std::uint8_t feature;  ///< column of the code
  bool missing_left;     ///< rows with a missing value go left
};

/// A tree prepared for walking.
template <class Code>
struct WalkTree {
  static constexpr Code kMissing = std::numeric_limits<Code>::max();  ///< the code of a missing value
  static constexpr int kTogether = 16;                                ///< rows per call of walk()

  std::vector<WalkStep<Code>> steps;  ///< [node]
  int depth = 0;                      ///< levels below the root

  /// code_of(node): the largest code that goes left.
  template <class CodeOf>
  WalkTree(const ForestTree& tree, const CodeOf& code_of) {
    std::vector<int> level(tree.size(), 0);
    steps.reserve(tree.size());
    for (std::size_t i = 0; i < tree.size(); ++i) {
      const ForestNode& node = tree[i];
      if (node.leaf()) {
        steps.push_back({static_cast<std::uint32_t>(i), kMissing, 0, true});
        continue;
      }
      const auto left = static_cast<std::size_t>(node.left);
      steps.push_back({static_cast<std::uint32_t>(left), code_of(node),
                       static_cast<std::uint8_t>(node.feature), node.missing_left});
      level[left] = level[left + 1] = level[i] + 1;
      depth = std::max(depth, level[left]);
    }
  }

  /// Moves the nodes at [kTogether] down by up to `levels`. codes [kTogether]: the codes of each row.
  void walk(int levels, const Code* const* codes, std::uint32_t* at) const {
    const WalkStep<Code>* s = steps.data();
    for (int level = 0; level < levels; ++level) {
      bool moved = false;
#pragma GCC unroll 16
      for (int r = 0; r < kTogether; ++r) {
        const WalkStep<Code>& step = s[at[r]];
        const Code code = codes[r][step.feature];
        // Without branches: half of them would be mispredicted.
        const auto right =
            static_cast<std::uint32_t>(code > step.code) &
            (static_cast<std::uint32_t>(code != kMissing) | static_cast<std::uint32_t>(!step.missing_left));
        const std::uint32_t next = step.left + right;
        moved |= next != at[r];
        at[r] = next;
      }
      if (!moved) return;
    }
  }
};

}  // namespace umbra
