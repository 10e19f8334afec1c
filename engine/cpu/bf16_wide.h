// bfloat16 on CPUs without the dot product: numbers are rounded to bfloat16, or read as bfloat16, and written
// as floats. fp32 tiles (engine/cpu/sum_tile.h) then compute the sums, because products of two bfloat16
// numbers are exact in fp32.
#pragma once

#include <cstdint>

#include "engine/base/precision.h"

namespace umbra {

/// to[r * to_row + l] = from[r * from_row + l] rounded to bfloat16, for r < rows and l < columns; zero for l
/// in [columns, width).
void bf16_round_rows(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                     float* to, std::int64_t to_row, std::int64_t width);

/// The same from numbers that are already rounded.
void bf16_round_rows(const Bf16* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                     float* to, std::int64_t to_row, std::int64_t width);

}  // namespace umbra
