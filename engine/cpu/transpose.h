// Rows become columns, as register tiles (sum_tile.h) want their operands.
#pragma once

#include <cstdint>

namespace umbra {

/// to[c * to_row + r] = from[r * from_row + c] for r < rows and c < columns; zero for r in [rows, width).
void transpose(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, float* to,
               std::int64_t to_row, std::int64_t width);

}  // namespace umbra
