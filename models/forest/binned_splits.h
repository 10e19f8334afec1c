// The best split of a node, from its histogram or, where records are few, from the records themselves.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

#include "models/forest/binned_records.h"

namespace umbra {

/// Searches for splits and writes them into nodes.
template <class Code, int kSlots>
class BinnedSplits {
 public:
  using Data = BinnedData<Code, kSlots>;        ///< the binned columns
  using Records = BinnedRecords<Code, kSlots>;  ///< the records of the tree
  using Node = BinnedNode<Code>;                ///< a node that waits to be split

  /// `data` and `records` must outlive it. `extra_trees`: one random threshold per column.
  BinnedSplits(const Data& data, const Records& records, bool extra_trees)
      : data_(data), records_(records), extra_trees_(extra_trees), sparse_(records.make_histogram()) {}

  /// The best split that leaves at least `least` rows on each side; feature -1 when there is none.
  NodeSplit best(const Node& node, std::int64_t least, const FeatureDraw& draw) {
    NodeSplit split;
    draw.for_node(node.path, [&](std::int64_t f) {
      return node.histogram ? try_dense(node, f, least, draw, split)
                            : try_sparse(node, f, least, draw, split);
    });
    return split;
  }

  /// Writes the split's column, threshold and code into `out`. Threshold and code divide the rows in the
  /// same way.
  void write(const CodeWindows<Code>& windows, const NodeSplit& split, ForestNode& out) const {
    out.feature = static_cast<std::uint16_t>(split.feature);
    out.missing_left = split.missing_left;
    const ColumnBins& bins = columns(split.feature);
    if (split.only_missing_right) {
      out.threshold = std::numeric_limits<double>::infinity();
      out.code = static_cast<std::uint16_t>(bins.count() - 1);
      return;
    }
    // The bins between the two are empty in this node. The threshold is halfway between the occupied ones
    // if it then falls between two bins.
    std::int64_t code = windows.last_code(split.feature, split.at);
    const std::int64_t next = windows.first_code(split.feature, split.next);
    const auto at = [](std::int64_t c) { return static_cast<std::size_t>(c); };
    out.threshold = threshold_between(bins.high[at(code)], bins.low[at(next)]);
    // A search, not a walk: in a node of few rows thousands of bins between the two may be empty.
    const auto high = bins.high.begin();
    code = std::upper_bound(high + code + 1, high + next, out.threshold) - high - 1;
    if (code + 1 < next && bins.low[at(code + 1)] <= out.threshold) out.threshold = bins.edge(code);
    out.code = static_cast<std::uint16_t>(code);
  }

 private:
  bool try_dense(const Node& node, std::int64_t f, std::int64_t least, const FeatureDraw& draw,
                 NodeSplit& best) const {
    const RowSums* column = node.histogram.get() + f * kBins;
    if (!extra_trees_ && column[kMissingBin].count == 0) return try_all_bins(node, f, least, column, best);
    const auto next_bin = [&](std::int64_t bin) {
      while (bin < kMissingBin && column[bin].count == 0) ++bin;
      return bin;
    };
    return try_bins(node, f, least, draw, column, next_bin, best);
  }

  // try_bins() for a column without missing values and without random thresholds.
  bool try_all_bins(const Node& node, std::int64_t f, std::int64_t least, const RowSums* column,
                    NodeSplit& best) const {
    std::int64_t at = 0;
    while (at < kMissingBin && column[at].count == 0) ++at;
    if (at == kMissingBin) return false;
    const RowSums all = node.all;
    const std::int64_t first = at, most = all.rows() - least;
    RowSums left = column[at];
    for (std::int64_t next = at + 1; next < kMissingBin; ++next) {
      if (column[next].count == 0) continue;
      if (left.rows() >= least && left.rows() <= most && may_beat(best.score, all, left)) {
        const bool majority = left.rows() * 2 >= all.rows();
        consider(best, score_of(all, left, least), static_cast<std::int32_t>(f), at, next, left, majority);
      }
      left.add(column[next]);
      at = next;
    }
    return at != first;
  }
  // score_of() > score without the division, with a margin for rounding: never false for a larger score.
  static bool may_beat(double score, const RowSums& all, const RowSums& left) {
    const RowSums right = all - left;
    const double wl = left.weight(), wr = right.weight();
    const double d = static_cast<double>(left.sum) * wr - static_cast<double>(right.sum) * wl;
    return d * d >= score * (1 - 1e-9) * (wl * wr);
  }

  bool try_sparse(const Node& node, std::int64_t f, std::int64_t least, const FeatureDraw& draw,
                  NodeSplit& best) {
    const auto* rows = records_.rows(node);
    RowSums* column = sparse_.get() + f * kBins;
    std::array<std::uint64_t, kBins / 64> occupied{};
    for (std::int64_t i = node.begin; i < node.end; ++i) {
      const auto slot = static_cast<std::size_t>(f);
      const auto bin = static_cast<std::size_t>(node.windows.bin_of(slot, rows[i].codes[slot]));
      column[bin].add(Records::sums_of(rows[i]));
      occupied[bin / 64] |= std::uint64_t{1} << bin % 64;
    }
    const auto next_bin = [&](std::int64_t bin) {
      auto word = static_cast<std::size_t>(bin) / 64;
      std::uint64_t bits = occupied[word] & ~std::uint64_t{0} << bin % 64;
      while (bits == 0 && ++word < occupied.size()) bits = occupied[word];
      return bits == 0 ? kMissingBin : static_cast<std::int64_t>(word) * 64 + std::countr_zero(bits);
    };
    const bool useful = try_bins(node, f, least, draw, column, next_bin, best);
    for (std::size_t word = 0; word < occupied.size(); ++word) {
      for (std::uint64_t bits = occupied[word]; bits != 0; bits &= bits - 1)
        column[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))] = {};
    }
    return useful;
  }

  // Tries all splits between a column's occupied bins. Returns whether the column has different values.
  template <class NextBin>
  bool try_bins(const Node& node, std::int64_t f, std::int64_t least, const FeatureDraw& draw,
                const RowSums* column, const NextBin& next_bin, NodeSplit& best) const {
    const RowSums missing = column[kMissingBin];
    const auto feature = static_cast<std::int32_t>(f);
    const std::int64_t first = next_bin(0);
    if (first >= kMissingBin) return false;
    const double threshold = extra_trees_ ? random_threshold(node, f, first, next_bin, draw) : 0;
    RowSums left;
    for (std::int64_t at = first, next; at < kMissingBin; at = next) {
      left.add(column[at]);
      next = next_bin(at + 1);
      if (next >= kMissingBin) {  // rows with a value against rows without
        if (missing.count != 0)
          consider(best, score_of(node.all, left, least), feature, at, next, left, false, true);
        return missing.count != 0 || at != first;
      }
      if (extra_trees_) {
        const bool last = next_bin(next + 1) >= kMissingBin;
        if (threshold < low_of(node, f, at) || (threshold >= low_of(node, f, next) && !last)) continue;
      }
      // If no value is missing here, values missing at prediction go to the side with more rows.
      const bool majority = missing.count == 0 && left.rows() * 2 >= node.all.rows();
      consider(best, score_of(node.all, left, least), feature, at, next, left, majority);
      if (missing.count != 0) {
        RowSums with = left;
        with.add(missing);
        consider(best, score_of(node.all, with, least), feature, at, next, with, true);
      }
    }
    return true;
  }

  double low_of(const Node& node, std::int64_t f, std::int64_t bin) const {
    return columns(f).low[static_cast<std::size_t>(node.windows.first_code(f, bin))];
  }
  double high_of(const Node& node, std::int64_t f, std::int64_t bin) const {
    return columns(f).high[static_cast<std::size_t>(node.windows.last_code(f, bin))];
  }
  const ColumnBins& columns(std::int64_t f) const { return data_.bins[static_cast<std::size_t>(f)]; }

  template <class NextBin>
  double random_threshold(const Node& node, std::int64_t f, std::int64_t first, const NextBin& next_bin,
                          const FeatureDraw& draw) const {
    std::int64_t last = first;
    for (std::int64_t b = first; b < kMissingBin; b = next_bin(b + 1)) last = b;
    const double low = low_of(node, f, first), high = high_of(node, f, last);
    const double share = draw.threshold(node.path, f);
    return low * (1 - share) + high * share;
  }

  const Data& data_;
  const Records& records_;
  bool extra_trees_;
  Histogram sparse_;  // all zero between nodes
};

}  // namespace umbra
