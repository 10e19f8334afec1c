// The first levels of a tree for 64 rows at once, on machines that can look up 64 bytes in a table of 128
// (x86 with AVX-512 VBMI: Ice Lake, Sapphire Rapids, Zen 4 and later).
//
// The columns and thresholds of a level are tables of bytes; the nodes of the rows are a vector of 64
// indices. One level of 64 rows takes two lookups (threshold, column), S / 2 lookups of the rows' codes
// with S codes per row, a comparison and a doubling: about 18 instructions for 8 columns, a quarter of an
// instruction per row and level. Levels below the seventh need tables 2, 4 and 8 times as large. Highway
// 1.0 has no such lookups, so the code uses intrinsics.
#pragma once

#include <cstdint>

namespace umbra {

inline constexpr int kByteLevels = 10;         ///< most levels
inline constexpr std::int64_t kByteRows = 64;  ///< rows at once

/// The nodes of a tree's first levels in heap order: the root is 1, the children of i are 2 i and 2 i + 1.
/// The tables have 2^levels bytes, but at least 64.
struct ByteLevels {
  const std::uint8_t* code;    ///< rows with a greater one go right
  const std::uint8_t* column;  ///< + kMissingLeft where rows with a missing value go left
  int levels;                  ///< up to kByteLevels
};
inline constexpr std::uint8_t kMissingLeft = 128;  ///< see ByteLevels::column

/// Whether the machine has AVX-512 VBMI.
bool walk_bytes_supported();

/// Sets slots[r] to the path of row r through all levels as a number, with the first step in the highest
/// bit (1: right). codes: [rows][stride], 255 for a missing value; `missing`: whether there are any. `rows`
/// must be a multiple of kByteRows, `stride` 8, 16 or 32. Only valid where walk_bytes_supported().
void walk_bytes(const ByteLevels& tree, const std::uint8_t* codes, int stride, bool missing,
                std::int64_t rows, std::uint16_t* slots);

}  // namespace umbra
