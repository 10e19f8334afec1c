// Transposes operands into the layout of the register tile (sum_tile.h).
#pragma once

#include <cstdint>

namespace umbra {

/// to[c * to_row + r] = from[r * from_row + c] for r < rows and c < columns; zero for r in [rows, width).
void transpose(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, float* to,
               std::int64_t to_row, std::int64_t width);

}  // namespace umbra
