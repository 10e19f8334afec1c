// Operands of products on tensor cores, packed once for all kernels that read them: numbers are rounded to TF32 or
// bfloat16, and rows start at multiples of 16 bytes (engine/base/packed.h). A kernel reads rows along its sum, so that
// the passes of a layer need both orders, which one read of the source makes:
//
//   straight[o, r, c] = transposed[o, c, r] = rounded(from[o, r, c]),  and zeros in the gaps after each row.
//
// An activation in batch-last order [position][channel][sample] has a matrix per position.
#pragma once

#include "engine/base/error.h"
#include "engine/base/packed.h"
#include "engine/ops/op.h"

namespace umbra {

class PackOperand final : public Op {
 public:
  PackOperand(DType type, Precision precision_, std::int64_t outer_, std::int64_t rows_,
              std::int64_t columns_)
      : Op(type), precision(precision_), outer(outer_), rows(rows_), columns(columns_) {
    require(precision != Precision::kF32, "operands are packed with precision tf32 or bf16, not fp32");
  }
  static constexpr std::string_view kName = "pack_operand";
  std::string_view name() const override { return kName; }
  std::string text() const override {
    return concat("o", outer, " r", rows, " c", columns, " ", name_of(precision));
  }
  std::vector<BufferSpec> buffers() const override {
    const DType packed = packed_type(precision, dtype);
    const std::int64_t along = packed_pitch(precision, columns), across = packed_pitch(precision, rows);
    return {{"from", dtype, outer * rows * columns, Access::kIn},             // [outer, rows, columns]
            {"straight", packed, outer * rows * along, Access::kOut},         // [outer, rows, pitch]
            {"transposed", packed, outer * columns * across, Access::kOut}};  // [outer, columns, pitch]
  }
  double flops() const override { return 0; }  // bytes() determines the time
  bool exact_on_integers() const override { return true; }

  Precision precision;
  std::int64_t outer, rows, columns;
};

}  // namespace umbra
