// Moving records of 16 bytes to the left and to the right of a split, four at a time where the machine has
// AVX-512.
#pragma once

#include <cstddef>
#include <cstdint>

namespace umbra {

/// Which records go right: byte `at` of the record is greater than `code` and is not `exception`.
struct RightRecords {
  std::size_t at;  // below 8
  std::uint8_t code, exception;
};

bool move_records_supported();

/// Moves records from `in` to `out`, left ones to its beginning and right ones to out + 16 * left_count, both
/// in order, until one side has fewer than four places left; neither end of `out` is overrun. So many were
/// moved. Only where move_records_supported().
struct MovedRecords {
  std::int64_t left, right;
};
MovedRecords move_records(const void* in, void* out, std::int64_t count, std::int64_t left_count,
                          RightRecords right);

}  // namespace umbra
