// Packed operands: what tensor cores read instead of an fp32 operand. A packed operand is a stack of matrices
// whose numbers are rounded to TF32 (in 4 bytes) or to bfloat16 (in 2), whose rows start at multiples of 16
// bytes, as TMA requires, and which are transposed if the steps of the sum would not be contiguous otherwise.
// A kernel that reads the fp32 operand once packs it into the workspace, unless the caller packed it before.
// Weights that are already stored as bfloat16, with rows of a multiple of 16 bytes, are used in place.
#pragma once

#include <span>

#include "cuda_grid.h"
#include "engine/base/dtype.h"
#include "engine/base/packed.h"
#include "tma.h"

namespace umbra {

/// A stack of `outer` matrices of `rows` rows of `columns` numbers, in fp32 or bfloat16, without gaps.
struct OperandSource {
  const void* data;
  DType dtype;
  std::int64_t outer, rows, columns;
  bool packed = false;  // data are its packed form already: what packed_operand() describes
};

/// A source as tensor cores read it. data is null until it has memory.
struct PackedOperand {
  const void* data;
  Precision precision;
  std::int64_t outer, rows, columns;  // of the packed matrices
  bool transposed;                    // relative to the source

  constexpr int element_bytes() const { return precision == Precision::kBf16 ? 2 : 4; }
  constexpr std::int64_t row_bytes() const { return packed_pitch(precision, columns) * element_bytes(); }
  constexpr std::size_t bytes() const {
    return (static_cast<std::size_t>(outer * rows * row_bytes()) + 255) / 256 * 256;
  }
};

/// The packed form of a source; `data` is the source's if it can be used in place.
inline PackedOperand packed_operand(const OperandSource& source, Precision precision, bool transposed) {
  const bool in_place = source.packed || (!transposed && precision == Precision::kBf16 &&
                                          source.dtype == DType::kBf16 && source.columns * 2 % 16 == 0 &&
                                          reinterpret_cast<std::uintptr_t>(source.data) % 16 == 0);
  return {in_place ? source.data : nullptr,
          precision,
          source.outer,
          transposed ? source.columns : source.rows,
          transposed ? source.rows : source.columns,
          transposed};
}

/// Packs `source` into the memory `to`, packed.bytes() long; gaps after rows are filled with zeros.
void pack_operand(const OperandSource& source, const PackedOperand& packed, void* to, void* stream);

/// An fp32 operand that is packed in both forms with one read. Either pointer may be null: that form is not written.
struct PackedBothWays {
  OperandSource source;
  void *straight, *transposed;
};
/// Packs them all, with one launch for up to kMostTensors.
void pack_operands_both_ways(std::span<const PackedBothWays> operands, Precision precision, void* stream);

/// The tensor map of a packed operand, fetched in boxes of `rows` rows of `columns` numbers, swizzled over
/// the width of a row.
inline TensorMapSpec boxes_of(const PackedOperand& packed, int columns, int rows) {
  const int row_bytes = columns * packed.element_bytes();
  const auto number = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
  return {packed.data,
          packed.element_bytes(),
          3,
          {number(packed.columns), number(packed.rows), number(packed.outer)},
          {number(packed.row_bytes()), number(packed.row_bytes() * packed.rows)},
          {static_cast<unsigned>(columns), static_cast<unsigned>(rows), 1},
          row_bytes == 128 ? Swizzle::k128 : Swizzle::k64};
}

}  // namespace umbra
