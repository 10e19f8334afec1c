// The columns that a forest reads, float or double. The table does not own the numbers. NaN means missing;
// infinities are ordinary values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/error.h"

namespace umbra {

/// Named columns of equal length. The caller owns the numbers and must keep them alive.
class ForestTable {
 public:
  /// The values of a column, [rows].
  using Column = std::variant<std::span<const float>, std::span<const double>>;

  /// Appends a column. Throws Error when its length differs from that of the columns before.
  void add(std::string name, Column values) {
    const auto length = static_cast<std::int64_t>(std::visit([](auto v) { return v.size(); }, values));
    require(columns_.empty() || length == rows_, "the column ", name, " has ", length,
            " rows, those before have ", rows_);
    rows_ = length;
    names_.push_back(std::move(name));
    columns_.push_back(values);
  }

  std::int64_t rows() const { return rows_; }  ///< number of rows
  /// The number of columns.
  std::int64_t features() const { return static_cast<std::int64_t>(columns_.size()); }
  const std::vector<std::string>& names() const { return names_; }  ///< of the columns
  /// The values of a column.
  const Column& column(std::int64_t feature) const { return columns_[static_cast<std::size_t>(feature)]; }
  /// One value as a double.
  double value(std::int64_t feature, std::int64_t row) const {
    return std::visit([row](auto v) { return static_cast<double>(v[static_cast<std::size_t>(row)]); },
                      column(feature));
  }

 private:
  std::int64_t rows_ = 0;
  std::vector<std::string> names_;
  std::vector<Column> columns_;
};

}  // namespace umbra
