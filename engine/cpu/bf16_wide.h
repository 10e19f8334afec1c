// bfloat16 on CPUs without its dot product: numbers rounded to bfloat16, or stored as such, as the floats
// they are. Tiles of fp32 (engine/cpu/sum_tile.h) then make the sums: products of two bfloat16 are exact in
// fp32.
#pragma once

#include <cstdint>

#include "engine/base/precision.h"

namespace umbra {

/// to[r * to_row + l] = from[r * from_row + l] rounded to bfloat16, for r < rows and l < columns; zero for l
/// in [columns, width).
void bf16_round_rows(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                     float* to, std::int64_t to_row, std::int64_t width);

/// The same from numbers that are rounded already.
void bf16_round_rows(const Bf16* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                     float* to, std::int64_t to_row, std::int64_t width);

}  // namespace umbra
