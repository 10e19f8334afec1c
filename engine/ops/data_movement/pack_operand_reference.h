// The definition of packed operands, on any scalar.
#pragma once

#include "engine/ops/data_movement/pack_operand.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class T, class Packed>
void pack_operand_reference(const PackOperand& op, const T* from, Packed* straight, Packed* transposed) {
  const std::int64_t along = packed_pitch(op.precision, op.columns);
  const std::int64_t across = packed_pitch(op.precision, op.rows);
  for (std::int64_t o = 0; o < op.outer; ++o) {
    const auto number = [&](std::int64_t r, std::int64_t c) {
      const bool gap = r >= op.rows || c >= op.columns;
      return static_cast<Packed>(gap ? T(0)
                                     : rounded_to(op.precision, from[(o * op.rows + r) * op.columns + c]));
    };
    for (std::int64_t r = 0; r < op.rows; ++r)
      for (std::int64_t c = 0; c < along; ++c) straight[(o * op.rows + r) * along + c] = number(r, c);
    for (std::int64_t c = 0; c < op.columns; ++c)
      for (std::int64_t r = 0; r < across; ++r) transposed[(o * op.columns + c) * across + r] = number(r, c);
  }
}

template <class T>
void pack_operand_reference(const PackOperand& op, Buffers b, void*,
                            Stream&) {  // from -> straight, transposed
  if (op.precision == Precision::kBf16)
    return pack_operand_reference(op, b.in<T>(0), b.out<Bf16>(1), b.out<Bf16>(2));
  pack_operand_reference(op, b.in<T>(0), b.out<T>(1), b.out<T>(2));
}

}  // namespace umbra
