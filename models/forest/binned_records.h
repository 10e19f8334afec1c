// The rows that a tree drew, compacted into records (codes, target, weight). Every split moves the records
// themselves, so all passes are sequential. A histogram holds one sum per column and bin.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "models/forest/binned_data.h"
#include "models/forest/move_records.h"

namespace umbra {

using Histogram = std::unique_ptr<RowSums[]>;  ///< [feature][bin]

/// A node while it waits to be split.
template <class Code>
struct BinnedNode {
  std::int32_t index = 0;     ///< in the tree
  std::size_t first = 0,      ///< the first leaf size of the family whose tree has this node
      last = 0;               ///< one past the last such leaf size
  int depth = 0;              ///< 0 for the root
  std::uint64_t path = 1;     ///< 1 for the root; 2 p and 2 p + 1 for the children of p
  int side = 0;               ///< which of the two buffers holds its records
  std::int64_t begin = 0,     ///< first record
      end = 0;                ///< one past the last record
  RowSums all;                ///< sum over its records
  CodeWindows<Code> windows;  ///< from codes to bins
  Histogram histogram;        ///< null for a node of few rows
};

/// The records of one tree and the memory for its histograms.
template <class Code, int kSlots>
class BinnedRecords {
 public:
  using Data = BinnedData<Code, kSlots>;  ///< the rows to draw from
  using Row = Record<Code, kSlots>;       ///< a record
  using Node = BinnedNode<Code>;          ///< a range of records

  /// `data` must outlive it.
  explicit BinnedRecords(const Data& data) : data_(data) {}

  /// The buffer that holds the node's records.
  const Row* rows(const Node& node) const { return sides_[static_cast<std::size_t>(node.side)].data(); }

  /// Compacts the drawn rows into the first buffer and adds them up in `all`. Returns their number.
  std::int64_t compact(std::span<const std::uint8_t> counts, RowSums& all) {
    std::size_t drawn = 1;  // one past the last is written, too
    for (const std::uint8_t count : counts) drawn += count != 0 ? 1 : 0;
    make_room(drawn);
    Row* out = sides_[0].data();
    const auto* codes = data_.codes.data();
    const std::int32_t* target = data_.fixed.target.data();
    const auto fill = [&](const auto& weight_of) {
      RowSums sums;
      Row* to = out;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::uint32_t weight = counts[i] * weight_of(i);
        *to = {codes[i], target[i], weight};
        sums.sum += std::int64_t{target[i]} * weight;
        sums.count += weight != 0 ? (std::uint64_t{1} << RowSums::kWeightBits) + weight : 0;
        to += weight != 0 ? 1 : 0;
      }
      all = sums;
      return to - out;
    };
    const std::uint32_t* weights = data_.fixed.weights.data();
    const std::int64_t used = data_.fixed.weights.empty() ? fill([](std::size_t) { return 1U; })
                                                          : fill([&](std::size_t i) { return weights[i]; });
    return used;
  }

  /// Moves the node's records to the other buffer: those of the left child, then those of the right, both
  /// in order.
  void partition(const Node& node, const ForestNode& split, std::int64_t left_rows) {
    const Row* in = rows(node) + node.begin;
    Row* out = sides_[static_cast<std::size_t>(1 - node.side)].data() + node.begin;
    const std::size_t f = split.feature;
    const auto code = static_cast<Code>(split.code);
    const Code exception = split.missing_left ? Data::kMissing : Code{0};  // 0 is never greater than code
    const std::int64_t count = node.end - node.begin;
    std::int64_t left = 0, i = 0;
    if constexpr (sizeof(Row) == 16 && sizeof(Code) == 1) {
      if (move_records_supported()) {
        const MovedRecords moved = move_records(in, out, count, left_rows, {f, code, exception});
        left = moved.left, i = moved.left + moved.right;
      }
    }
    // Without a branch: the side is unpredictable, and mispredictions took half of the time of growing.
    for (; i < count; ++i) {
      const Code seen = in[i].codes[f];
      const std::int64_t goes_right = static_cast<int>(seen > code) & static_cast<int>(seen != exception);
      const std::int64_t right = left_rows + (i - left);
      out[left + ((right - left) & -goes_right)] = in[i];
      left += 1 - goes_right;
    }
  }

  // ---- records set aside while another family member grows: last in, first out ----

  /// Copies the node's records to a stack.
  void set_aside(const Node& node) {
    aside_.insert(aside_.end(), rows(node) + node.begin, rows(node) + node.end);
  }
  /// Moves the last `count` records of the stack to the beginning of the first buffer.
  void bring_back(std::int64_t count) {
    make_room(static_cast<std::size_t>(count));
    std::copy(aside_.end() - count, aside_.end(), sides_[0].begin());
    aside_.resize(aside_.size() - static_cast<std::size_t>(count));
  }

  // ---- histograms ----

  /// A new histogram of zeros, [features][kBins].
  Histogram make_histogram() const { return std::make_unique<RowSums[]>(size()); }
  /// Keeps the memory of `h`, which may be null, for the next histogram.
  void give_back(Histogram h) {
    if (h) free_.push_back(std::move(h));
  }
  /// The histogram of the node.
  Histogram summed(const Node& node) {
    Histogram h = take_histogram();
    std::memset(static_cast<void*>(h.get()), 0, size() * sizeof(RowSums));
    sum_columns(node, 0, static_cast<std::size_t>(data_.features), h.get());
    return h;
  }
  /// Adds the node's records to the columns [first, last) of `h`.
  void sum_columns(const Node& node, std::size_t first, std::size_t last, RowSums* h) const {
    const Row *row = rows(node) + node.begin, *end = rows(node) + node.end;
    const CodeWindows<Code>& w = node.windows;
    if (first == 0 && last == kSlots) {  // the loop over columns unrolls
      for (; row != end; ++row) sum_row(*row, w, 0, kSlots, h);
    } else {
      for (; row != end; ++row) sum_row(*row, w, first, last, h);
    }
  }
  /// The sums of one record.
  static RowSums sums_of(const Row& row) {
    return {std::int64_t{row.target} * row.weight, (std::uint64_t{1} << RowSums::kWeightBits) + row.weight};
  }
  /// from -= h.
  void subtract(Histogram& from, const Histogram& h) const {
    RowSums* to = from.get();
    const RowSums* sums = h.get();
    const std::size_t count = size();
    for (std::size_t i = 0; i < count; ++i)
      reinterpret_cast<TwoSums&>(to[i]) -= reinterpret_cast<const TwoSums&>(sums[i]);
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(data_.features * kBins); }
  void make_room(std::size_t rows) {
    for (auto& buffer : sides_) {
      if (buffer.size() < rows) buffer = std::vector<Row>(rows);
    }
  }
  Histogram take_histogram() {
    if (free_.empty()) return std::make_unique_for_overwrite<RowSums[]>(size());
    Histogram h = std::move(free_.back());
    free_.pop_back();
    return h;
  }
  [[gnu::always_inline]] void sum_row(const Row& row, const CodeWindows<Code>& w, std::size_t first,
                                      std::size_t last, RowSums* h) const {
    const RowSums own = sums_of(row);
    const TwoSums both = {own.sum, static_cast<std::int64_t>(own.count)};
    for (std::size_t f = first; f < last; ++f)
      reinterpret_cast<TwoSums&>(h[f * kBins + static_cast<std::size_t>(w.bin_of(f, row.codes[f]))]) += both;
  }

  // RowSums as one vector: one load, one addition, one store per column.
  using TwoSums [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(8)]] = std::int64_t;

  const Data& data_;
  std::array<std::vector<Row>, 2> sides_;
  std::vector<Row> aside_;
  std::vector<Histogram> free_;
};

}  // namespace umbra
