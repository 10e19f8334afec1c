// A transpose in the form that the CUDA rungs use: `count` matrices of rows x columns each become columns x
// rows.
#pragma once

#include "engine/ops/data_movement/transpose.h"

namespace umbra {

struct Matrices {
  // x is [rows, count, columns] and y is [columns, count, rows].
  std::int64_t rows, count, columns;

  constexpr std::int64_t input(std::int64_t row, std::int64_t matrix, std::int64_t column) const {
    return (row * count + matrix) * columns + column;
  }
  constexpr std::int64_t output(std::int64_t row, std::int64_t matrix, std::int64_t column) const {
    return (column * count + matrix) * rows + row;
  }
};

/// Rows of single numbers are one matrix, not many with one row or column.
inline Matrices matrices_of(const Transpose& op) {
  Matrices m{op.batch, op.channels, op.volume};
  if (op.to == TransposeTo::kSampleFirst) m = {op.volume, op.channels, op.batch};
  if (m.columns == 1) return {m.rows, 1, m.count};
  if (m.rows == 1) return {m.count, 1, m.columns};
  return m;
}

}  // namespace umbra
