// Data prepared for growing on bins: a code per row and column; the codes of a row are adjacent in memory.
//
// With 16-bit codes a node sees each column through a window of up to 255 bins of 2^shift codes. The window
// narrows as splits narrow the column's range.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "engine/cpu/parallel.h"
#include "models/forest/binning.h"
#include "models/forest/grower.h"

namespace umbra {

inline constexpr std::int64_t kBins = 256;              ///< of a histogram; the last is for missing values
inline constexpr std::int64_t kMissingBin = kBins - 1;  ///< the bin of missing values
/// A node with at most this number of rows has no histogram: most bins would be empty, so only occupied
/// ones are visited.
inline constexpr std::int64_t kSparseRows = 512;

/// The data of a drawn row that growing reads.
template <class Code, int kSlots>
struct Record {
  std::array<Code, kSlots> codes;  ///< by column
  std::int32_t target;             ///< fixed point, see FixedData
  std::uint32_t weight;            ///< fixed point, times the number of times the row was drawn
};

/// How a node maps the codes of its columns to bins: bin = (code - low) >> shift.
template <class Code>
struct CodeWindows {
  std::array<Code, kMostFeatures> low{},            ///< [column]: smallest code that can occur
      high{};                                       ///< [column]: largest code that can occur
  std::array<std::uint8_t, kMostFeatures> shift{};  ///< [column]: log2 of the codes per bin

  /// Sets the smallest shift of column `f` that gives at most 255 bins.
  void fit(std::size_t f) {
    shift[f] = 0;
    while ((high[f] - low[f]) >> shift[f] >= kMissingBin) ++shift[f];
  }
  /// The bin of a code of column `f`; kMissingBin for a missing value.
  std::int64_t bin_of(std::size_t f, Code code) const {
    if constexpr (sizeof(Code) == 1) return code;
    return code == std::numeric_limits<Code>::max() ? kMissingBin : (code - low[f]) >> shift[f];
  }
  /// The smallest code in a bin of column `f`.
  std::int64_t first_code(std::int64_t f, std::int64_t bin) const {
    const auto i = static_cast<std::size_t>(f);
    return low[i] + (bin << shift[i]);
  }
  /// The largest code in a bin of column `f`.
  std::int64_t last_code(std::int64_t f, std::int64_t bin) const {
    return std::min<std::int64_t>(first_code(f, bin + 1) - 1, high[static_cast<std::size_t>(f)]);
  }
};

/// The binned columns. Code: 8 or 16 bits; the largest code means a missing value. kSlots: codes per row,
/// at least the number of columns.
template <class Code, int kSlots>
class BinnedData final : public GrowthData {
 public:
  static constexpr Code kMissing = std::numeric_limits<Code>::max();  ///< the code of a missing value

  /// Bins and encodes all columns.
  explicit BinnedData(const ForestData& data)
      : features(data.table.features()),
        codes(static_cast<std::size_t>(data.table.rows())),
        bins(static_cast<std::size_t>(features)) {
    fixed = fixed_data(data);
    parallel_for(features, [&](std::int64_t f) {
      bins[static_cast<std::size_t>(f)] = make_bins(data.table.column(f), kMissing, data.mask);
    });
    for (std::int64_t f = 0; f < features; ++f) {
      encode(data.table.column(f), bins[static_cast<std::size_t>(f)], kMissing, codes[0].data() + f, kSlots);
    }
  }
  std::unique_ptr<TreeGrower> make_grower(const ForestOptions& options) const override;

  /// The windows of the root: all codes of every column.
  CodeWindows<Code> root_windows() const {
    CodeWindows<Code> w;
    for (std::size_t f = 0; f < bins.size(); ++f) {
      w.high[f] = static_cast<Code>(std::max<std::int64_t>(1, bins[f].count()) - 1);
      w.fit(f);
    }
    return w;
  }

  std::int64_t features;                        ///< number of columns
  std::vector<std::array<Code, kSlots>> codes;  ///< [row]
  std::vector<ColumnBins> bins;                 ///< [feature]
};

}  // namespace umbra
