// The definition of packed operands, on any scalar.
#pragma once

#include "engine/ops/data_movement/pack_operand.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class T, class Packed>
void pack_stack_reference(const PackedStack& stack, Precision precision, const T* from, Packed* straight,
                          Packed* transposed) {
  const auto [outer, rows, columns, writes_straight, writes_transposed] = stack;
  const std::int64_t along = packed_pitch(precision, columns), across = packed_pitch(precision, rows);
  for (std::int64_t o = 0; o < outer; ++o) {
    const auto number = [&, o = o, rows = rows, columns = columns](std::int64_t r, std::int64_t c) {
      const bool gap = r >= rows || c >= columns;
      return static_cast<Packed>(gap ? T(0) : rounded_to(precision, from[(o * rows + r) * columns + c]));
    };
    for (std::int64_t r = 0; writes_straight && r < rows; ++r)
      for (std::int64_t c = 0; c < along; ++c) straight[(o * rows + r) * along + c] = number(r, c);
    for (std::int64_t c = 0; writes_transposed && c < columns; ++c)
      for (std::int64_t r = 0; r < across; ++r) transposed[(o * columns + c) * across + r] = number(r, c);
  }
}

template <class T>
void pack_operand_reference(const PackOperand& op, Buffers b, void*,
                            Stream&) {  // from -> straight, transposed; the same of the next stack
  const auto pack = [&]<class Packed>(Packed /*a number in memory*/) {
    for (std::size_t k = 0; k < op.stacks.size(); ++k) {
      const std::size_t first = PackOperand::kBuffers * k;
      pack_stack_reference(op.stacks[k], op.precision, b.in<T>(first), b.out<Packed>(first + 1),
                           b.out<Packed>(first + 2));
    }
  };
  if (op.precision == Precision::kBf16) return pack(Bf16{});
  pack(T{});
}

}  // namespace umbra
