// The first levels of a tree for 64 rows at once, on machines that can look up 64 bytes in a table of 128
// (x86 with AVX-512 VBMI: Ice Lake, Sapphire Rapids, Zen 4 and later).
//
// Columns and thresholds of a level are tables of bytes; where the rows stand in it is a vector of 64
// indices. One level of 64 rows is two lookups (threshold, column), S / 2 lookups of the rows' codes with S
// codes per row, a comparison and a doubling: about 18 instructions for 8 columns, a quarter of an
// instruction per row and level. Levels below the seventh need 2, 4 and 8 times the tables. Highway 1.0 has
// no such lookups, hence intrinsics.
#pragma once

#include <cstdint>

namespace umbra {

inline constexpr int kByteLevels = 10;  // at most
inline constexpr std::int64_t kByteRows = 64;

/// The nodes of a tree's first levels in heap order: the root is 1, the children of i are 2 i and 2 i + 1.
/// Tables of at least 64 bytes, and of 2^levels.
struct ByteLevels {
  const std::uint8_t* code;    // rows with a greater one go right
  const std::uint8_t* column;  // + kMissingLeft: rows without a value go left
  int levels;
};
inline constexpr std::uint8_t kMissingLeft = 128;

bool walk_bytes_supported();

/// slots[r]: the number of the path of row r through all levels, its first step the highest bit. codes:
/// [rows][stride], 255 where the value is missing (`missing`: there may be such rows); rows in multiples of
/// kByteRows. Only where walk_bytes_supported().
void walk_bytes(const ByteLevels& tree, const std::uint8_t* codes, int stride, bool missing,
                std::int64_t rows, std::uint16_t* slots);

}  // namespace umbra
