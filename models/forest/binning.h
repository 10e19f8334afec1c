// Columns as small integers: the bins between which a tree may split.
//
// Half of the bins hold equal numbers of rows and a quarter per tail are equally spaced in the logarithm of
// the rank, down to kTailRows rows: halo properties fall off steeply, and the few most massive galaxies would
// share one bin of equal counts. A column with no more different values than bins has one bin per value.
#pragma once

#include <cstdint>
#include <vector>

#include "models/forest/table.h"

namespace umbra {

struct ColumnBins {
  std::vector<double> low, high;  // [bins]: smallest and largest value seen in each, ascending
  std::int64_t count() const { return static_cast<std::int64_t>(high.size()); }
  /// The last value of bin `code`, moved halfway to the first of the next: splits bins exactly, whatever
  /// rounding does.
  double edge(std::int64_t code) const;
};

/// The number between a and b (a < b) that scikit-learn takes as threshold: halfway, or a where that is not
/// below b.
double threshold_between(double a, double b);

/// At most `most` bins of one column. Rows whose mask is 0 do not count (mask may be empty).
ColumnBins make_bins(const ForestTable::Column& column, std::int64_t most,
                     std::span<const std::uint8_t> mask);

/// code[row * stride] = bin of every value (for values beyond or between bins: the next lower one, or the
/// first); missing values get `missing`.
template <class Code>
void encode(const ForestTable::Column& column, const ColumnBins& bins, Code missing, Code* code,
            std::int64_t stride);

}  // namespace umbra
