// Moving records of 16 bytes to the left and right sides of a split, four at a time on machines with AVX-512.
#pragma once

#include <cstddef>
#include <cstdint>

namespace umbra {

/// Which records go right: those whose byte `at` is greater than `code` and is not `exception`.
struct RightRecords {
  std::size_t at;     ///< below 8
  std::uint8_t code,  ///< largest value that goes left
      exception;      ///< goes left, too
};

/// Whether the machine has AVX-512.
bool move_records_supported();

/// The number of records that move_records() moved to each side.
struct MovedRecords {
  std::int64_t left,  ///< to the beginning of `out`
      right;          ///< to out + 16 * left_count
};
/// Moves records from `in` to `out`: left ones to its beginning and right ones to out + 16 * left_count,
/// both in order, until one side has fewer than four places left. It does not write outside `out`. Only
/// valid where move_records_supported().
MovedRecords move_records(const void* in, void* out, std::int64_t count, std::int64_t left_count,
                          RightRecords right);

}  // namespace umbra
