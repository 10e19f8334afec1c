// Columns as small integers. A tree splits between bins.
//
// Half of the bins hold equal numbers of rows. A quarter of the bins per tail are equally spaced in the
// logarithm of the rank, down to kTailRows rows: halo properties fall off steeply, and with equal counts
// the few most massive galaxies would share one bin. A column with no more different values than bins has
// one bin per value.
#pragma once

#include <cstdint>
#include <vector>

#include "models/forest/table.h"

namespace umbra {

/// The bins of a column.
struct ColumnBins {
  std::vector<double> low,  ///< [bins]: smallest value seen in each, ascending
      high;                 ///< [bins]: largest value seen in each, ascending
  /// The number of bins.
  std::int64_t count() const { return static_cast<std::int64_t>(high.size()); }
  /// A threshold above bin `code` and below the next, halfway between their values; it separates the bins
  /// exactly. Infinity after the last bin.
  double edge(std::int64_t code) const;
};

/// The threshold between a and b (a less than b) as in scikit-learn: halfway, or a if the rounded middle is
/// not below b.
double threshold_between(double a, double b);

/// At most `most` bins of one column. Rows whose mask is 0 are ignored; an empty mask uses all rows.
ColumnBins make_bins(const ForestTable::Column& column, std::int64_t most,
                     std::span<const std::uint8_t> mask);

/// code[row * stride] = the bin of every value. Values between or above bins get the next lower bin, values
/// below all bins the first; missing values get `missing`.
template <class Code>
void encode(const ForestTable::Column& column, const ColumnBins& bins, Code missing, Code* code,
            std::int64_t stride);

}  // namespace umbra
