// Values as ranks among the thresholds of their column: value <= threshold j if and only if rank <= j, so
// walks on ranks take exactly the same path as walks on values.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "models/forest/forest.h"
#include "models/forest/walk_packed.h"

namespace umbra {

/// The ranks of values among the thresholds of a forest.
class ForestRanks {
 public:
  /// `thresholds`: those of all trees, by column, ascending, without duplicates.
  explicit ForestRanks(std::vector<std::vector<double>> thresholds) : sorted_(std::move(thresholds)) {
    for (const auto& column : sorted_) searches_.push_back(make_search(column));
    while (stride_ < static_cast<int>(sorted_.size())) stride_ *= 2;
  }
  /// The number of columns.
  std::int64_t columns() const { return static_cast<std::int64_t>(sorted_.size()); }
  /// Codes per row: 8, 16 or 32.
  int stride() const { return stride_; }
  /// The rank of a node's threshold.
  std::size_t of_threshold(const ForestNode& node) const {
    const auto& column = sorted_[node.feature];
    return static_cast<std::size_t>(std::lower_bound(column.begin(), column.end(), node.threshold) -
                                    column.begin());
  }

  /// Sets the codes of `count` rows from `first` on: [count][stride]. Returns whether a value is missing.
  template <class Code>
  bool code_rows(const ForestTable& table, std::int64_t first, std::int64_t count, Code* codes) const {
    bool missing = false;
    for (std::int64_t f = 0; f < columns(); ++f) {
      std::visit(
          [&](auto values) {
            missing |=
                code_column(values.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                            searches_[static_cast<std::size_t>(f)], codes + f);
          },
          table.column(f));
    }
    return missing;
  }

 private:
  // Rows searched in parallel, to hide the latency of dependent comparisons.
  static constexpr std::size_t kTogether = 8;

  // The thresholds of a column as a tree in heap order, padded with infinity: the path of a value is the
  // number of thresholds below it, and a step is a comparison and 2 i + its outcome.
  struct Search {
    std::vector<double> heap;
    int levels = 0;
  };

  static Search make_search(const std::vector<double>& sorted) {
    Search out;
    out.levels = static_cast<int>(std::bit_width(sorted.size()));
    const std::size_t places = std::size_t{1} << out.levels;
    out.heap.assign(places, std::numeric_limits<double>::infinity());
    for (std::size_t i = 1; i < places; ++i) {  // i is place k of a level
      const int level = static_cast<int>(std::bit_width(i)) - 1;
      const std::size_t k = i - (std::size_t{1} << level);
      const std::size_t rank = ((2 * k + 1) << (out.levels - level - 1)) - 1;
      if (rank < sorted.size()) out.heap[i] = sorted[rank];
    }
    return out;
  }

  template <class T, class Code>
  bool code_column(std::span<const T> values, const Search& search, Code* codes) const {
    const auto count = static_cast<std::int64_t>(values.size());
    const double* heap = search.heap.data();
    bool missing = false;
    for (std::int64_t i = 0; i < count; i += kTogether) {
      const auto rows = std::min<std::int64_t>(kTogether, count - i);
      std::array<double, kTogether> x{};
      for (std::int64_t k = 0; k < rows; ++k)
        x[static_cast<std::size_t>(k)] = static_cast<double>(values[static_cast<std::size_t>(i + k)]);
      std::array<std::uint64_t, kTogether> at;
      at.fill(1);
      for (int level = 0; level < search.levels; ++level) {
#pragma GCC unroll 8
        for (std::size_t k = 0; k < kTogether; ++k) at[k] = 2 * at[k] + std::uint64_t{heap[at[k]] < x[k]};
      }
      for (std::int64_t k = 0; k < rows; ++k) {
        const auto j = static_cast<std::size_t>(k);
        const bool none = std::isnan(x[j]);
        missing |= none;
        codes[(i + k) * stride_] = none ? PackedTree<Code>::kMissing
                                        : static_cast<Code>(at[j] - (std::uint64_t{1} << search.levels));
      }
    }
    return missing;
  }

  std::vector<std::vector<double>> sorted_;  // [column], ascending
  std::vector<Search> searches_;             // [column]
  int stride_ = 8;
};

}  // namespace umbra
