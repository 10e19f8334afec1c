// The rows of packed operands, which tensor cores read instead of numbers in fp32.
#pragma once

#include <cstdint>

#include "engine/base/dtype.h"
#include "engine/base/precision.h"

namespace umbra {

/// Numbers from one row of a packed operand to the next. Rows start at multiples of 16 bytes, as the units that copy
/// them require; the gaps after `columns` numbers are zeros. A TF32 number takes 4 bytes, a bfloat16 2.
constexpr std::int64_t packed_pitch(Precision precision, std::int64_t columns) {
  const std::int64_t side = precision == Precision::kBf16 ? 8 : 4;
  return (columns + side - 1) / side * side;
}

/// The type of these numbers in memory; `dtype` is that of the numbers before they are rounded.
constexpr DType packed_type(Precision precision, DType dtype) {
  return precision == Precision::kBf16 ? DType::kBf16 : dtype;
}

}  // namespace umbra
