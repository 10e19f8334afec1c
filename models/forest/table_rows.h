// A copy of some rows of a table, so that passes over them do not read the others.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

/// Some rows of ForestData, copied.
class TableRows {
 public:
  /// The rows i for which chosen[i] is not 0, in order.
  TableRows(const ForestData& data, std::span<const std::uint8_t> chosen) {
    const auto gather = [&](auto values) {
      std::vector<std::remove_const_t<typename decltype(values)::element_type>> out;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (chosen[i] != 0) out.push_back(values[i]);
      }
      return out;
    };
    target_ = gather(data.target);
    weights_ = gather(data.weights);
    for (std::int64_t f = 0; f < data.table.features(); ++f) {
      std::visit([&](auto values) { columns_.emplace_back(gather(values)); }, data.table.column(f));
      std::visit(
          [&](const auto& column) {
            table_.add(data.table.names()[static_cast<std::size_t>(f)], std::span(column));
          },
          columns_.back());
    }
  }
  TableRows(const TableRows&) = delete;
  /// Moves; the columns stay where they are in memory.
  TableRows(TableRows&&) = default;

  /// The copied rows, without a mask. This object must outlive it.
  ForestData data() const { return {table_, target_, weights_, {}}; }

 private:
  std::vector<std::variant<std::vector<float>, std::vector<double>>> columns_;
  std::vector<double> target_, weights_;
  ForestTable table_;  // of columns_
};

}  // namespace umbra
