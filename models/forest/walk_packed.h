// A tree packed for prediction. The first levels (ten at most) are stored in heap order, so that a step
// needs no address of a child: load the node (4 bytes: threshold and column), load the row's code, compare,
// and 2 i + borrow; seven instructions (about two cycles), eight rows interleaved. With byte codes, on
// machines with long byte lookups, 64 rows take these levels at once (walk_bytes.h). Deeper levels follow
// the indices of children.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "models/forest/forest.h"
#include "models/forest/walk_bytes.h"

namespace umbra {

/// Codes of rows: [rows][stride], rows in multiples of kByteRows, stride 8, 16 or 32.
template <class Code>
struct CodedRows {
  const Code* codes;  ///< [rows][stride]
  std::int64_t rows;  ///< a multiple of kByteRows
  int stride;         ///< codes per row
  bool missing;       ///< whether some are kMissing
};

/// A tree packed for prediction on codes.
template <class Code>
class PackedTree {
 public:
  static constexpr Code kMissing = std::numeric_limits<Code>::max();  ///< the code of a missing value

  PackedTree() = default;
  /// code_of(node): the largest code that goes left.
  template <class CodeOf>
  PackedTree(const ForestTree& tree, const CodeOf& code_of) : nodes_(tree.size()) {
    std::vector<int> level(tree.size(), 0);
    for (std::size_t i = 0; i < tree.size(); ++i) {  // children come after their parents
      if (tree[i].leaf()) continue;
      const auto left = static_cast<std::size_t>(tree[i].left);
      level[left] = level[left + 1] = level[i] + 1;
      depth_ = std::max(depth_, level[left]);
    }
    // Not many more slots than nodes.
    levels_ = std::min({depth_, kByteLevels, static_cast<int>(std::bit_width(tree.size())) + 1});
    pack_top(tree, code_of);
    if (depth_ == levels_) return;
    for (std::size_t i = 0; i < tree.size(); ++i) {
      const ForestNode& node = tree[i];
      const auto own = static_cast<std::uint32_t>(i);
      rest_.push_back(node.leaf()
                          ? Step{own, kMissing, 0, true}
                          : Step{static_cast<std::uint32_t>(node.left), static_cast<Code>(code_of(node)),
                                 static_cast<std::uint8_t>(node.feature), node.missing_left});
    }
  }

  /// Whether every slot is a leaf, so that walk_rest() is not needed.
  bool flat() const { return depth_ == levels_; }
  std::size_t nodes() const { return nodes_; }  ///< of the tree
  /// The number of slots: the places at the end of the first levels.
  std::size_t slots() const { return std::size_t{1} << levels_; }
  /// The node of the tree at a slot.
  std::uint32_t node(std::size_t slot) const { return node_[slot]; }

  /// Sets the slot of every row, where its path through the first levels ends: [rows].
  void walk_top(const CodedRows<Code>& rows, std::uint16_t* slots) const {
    if constexpr (std::is_same_v<Code, std::uint8_t>) {
      if (walk_bytes_supported()) {
        walk_bytes({bytes_.data(), bytes_.data() + bytes_.size() / 2, levels_}, rows.codes, rows.stride,
                   rows.missing, rows.rows, slots);
        return;
      }
    }
    if (rows.stride == 8) return walk_heap<8>(rows, slots);
    if (rows.stride == 16) return walk_heap<16>(rows, slots);
    return walk_heap<32>(rows, slots);
  }

  /// Sets the leaf of every row from its slot: [rows].
  void walk_rest(const CodedRows<Code>& rows, const std::uint16_t* slots, std::uint32_t* at) const {
    for (std::int64_t r = 0; r < rows.rows; ++r) at[r] = node_[slots[r]];
    if (flat()) return;
    for (std::int64_t r = 0; r < rows.rows; r += kTogether) {
      const Code* codes = rows.codes + r * rows.stride;
      rows.missing ? follow<true>(codes, rows.stride, at + r) : follow<false>(codes, rows.stride, at + r);
    }
  }

 private:
  static constexpr int kTogether = 8;
  using Word = std::conditional_t<sizeof(Code) == 4, std::uint64_t, std::uint32_t>;  // code, column
  static constexpr int kCodeBit = sizeof(Word) * 4;
  struct Step {
    std::uint32_t left;  // left + 1 is the right child; a leaf leads to itself for any code
    Code code;
    std::uint8_t feature;
    bool missing_left;
  };

  template <class CodeOf>
  void pack_top(const ForestTree& tree, const CodeOf& code_of) {
    const std::size_t slots = std::size_t{1} << levels_;
    heap_.assign(slots, 0);
    const std::size_t table = std::max<std::size_t>(slots, kByteRows);
    if constexpr (std::is_same_v<Code, std::uint8_t>) bytes_.assign(2 * table, 0);
    std::vector<std::uint32_t> at(2 * slots, 0);  // the node at each place of the heap
    for (std::size_t i = 1; i < slots; ++i) {
      const ForestNode& node = tree[at[i]];
      at[2 * i] = node.leaf() ? at[i] : static_cast<std::uint32_t>(node.left);
      at[2 * i + 1] = node.leaf() ? at[i] : static_cast<std::uint32_t>(node.left) + 1;
      if (node.leaf()) continue;  // both ways lead to it for any code
      const auto column = static_cast<std::uint8_t>(node.feature + (node.missing_left ? kMissingLeft : 0));
      const auto code = static_cast<Code>(code_of(node));
      heap_[i] = Word{code} << kCodeBit | Word{node.missing_left} << 8 | node.feature;
      if constexpr (std::is_same_v<Code, std::uint8_t>) {
        bytes_[i] = code;
        bytes_[table + i] = column;
      }
    }
    node_.assign(at.begin() + static_cast<std::ptrdiff_t>(slots), at.end());
  }

  template <int kStride>
  void walk_heap(const CodedRows<Code>& rows, std::uint16_t* slots) const {
    for (std::int64_t r = 0; r < rows.rows; r += kTogether) {
      const Code* codes = rows.codes + r * kStride;
      rows.missing ? heap_steps<kStride, true>(codes, slots + r)
                   : heap_steps<kStride, false>(codes, slots + r);
    }
  }
  template <int kStride, bool kSomeMissing>
  void heap_steps(const Code* codes, std::uint16_t* slots) const {
    const Word* heap = heap_.data();
    std::array<std::uint64_t, kTogether> at;
    at.fill(1);
    for (int level = 0; level < levels_; ++level) {
#pragma GCC unroll 8
      for (int r = 0; r < kTogether; ++r) {
        const Word word = heap[at[r]];
        const Word own = codes[r * kStride + static_cast<std::uint8_t>(word)];
        Word right = ((word >> kCodeBit) - own) >> (2 * kCodeBit - 1);  // the borrow
        if constexpr (kSomeMissing) right &= ~(Word{own == kMissing} & word >> 8);
        at[r] = 2 * at[r] + right;
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kTogether; ++r)
      slots[r] = static_cast<std::uint16_t>(at[r] - (std::uint64_t{1} << levels_));
  }

  template <bool kSomeMissing>
  void follow(const Code* codes, int stride, std::uint32_t* at) const {
    const Step* steps = rest_.data();
    std::array<std::uint32_t, kTogether> now;
    std::copy(at, at + kTogether, now.begin());
    for (std::uint32_t moved = 1; moved != 0;) {
      moved = 0;
#pragma GCC unroll 8
      for (int r = 0; r < kTogether; ++r) {
        const Step step = steps[now[r]];
        const Code own = codes[r * stride + step.feature];
        bool right = own > step.code;
        if constexpr (kSomeMissing) right &= !(own == kMissing && step.missing_left);
        const std::uint32_t next = step.left + (right ? 1 : 0);
        moved |= next ^ now[r];
        now[r] = next;
      }
    }
    std::copy(now.begin(), now.end(), at);
  }

  std::size_t nodes_ = 0;
  int depth_ = 0, levels_ = 0;
  std::vector<Word> heap_;           // [slots], the first unused
  std::vector<std::uint8_t> bytes_;  // the same as ByteLevels: codes, then columns
  std::vector<std::uint32_t> node_;  // [slots]
  std::vector<Step> rest_;           // [nodes]; empty where flat
};

}  // namespace umbra
