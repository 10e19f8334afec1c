// Operands of products on tensor cores, packed once for all kernels that read them: numbers are rounded to TF32 or
// bfloat16, and rows start at multiples of 16 bytes (engine/base/packed.h). A kernel reads rows along its sum, so that
// the passes of a layer need both orders, which one read of the source makes:
//
//   straight[o, r, c] = transposed[o, c, r] = rounded(from[o, r, c]),  and zeros in the gaps after each row.
//
// An activation in batch-last order [position][channel][sample] has a matrix per position, the weights of a convolution
// [live tap][Cin][Cout] have one per tap. One call packs any number of stacks, such as all weights of a network.
#pragma once

#include <utility>

#include "engine/base/error.h"
#include "engine/base/packed.h"
#include "engine/ops/op.h"

namespace umbra {

/// `outer` matrices of `rows` rows of `columns` numbers, without gaps, and which orders of it are written.
struct PackedStack {
  std::int64_t outer, rows, columns;
  bool straight = true, transposed = true;
  constexpr std::int64_t count() const { return outer * rows * columns; }
};

class PackOperand final : public Op {
 public:
  PackOperand(DType type, Precision precision_, std::vector<PackedStack> stacks_)
      : Op(type), precision(precision_), stacks(std::move(stacks_)) {
    require(precision != Precision::kF32, "operands are packed with precision tf32 or bf16, not fp32");
  }
  static constexpr std::string_view kName = "pack_operand";
  static constexpr std::size_t kBuffers = 3;  // of each stack
  std::string_view name() const override { return kName; }
  // "o64 r20 c32 tf32", "o27 r20 c40 transposed + o1 r20 c40 tf32", of many "n299142 in 15 tf32"
  std::string text() const override {
    constexpr std::size_t kMostInText = 4;
    std::string text;
    std::int64_t count = 0;
    for (const PackedStack& s : stacks) {
      text += concat(text.empty() ? "" : " + ", "o", s.outer, " r", s.rows, " c", s.columns,
                     s.transposed ? "" : " straight", s.straight ? "" : " transposed");
      count += s.count();
    }
    if (stacks.size() > kMostInText) text = concat("n", count, " in ", stacks.size());
    return concat(text, " ", name_of(precision));
  }
  std::vector<BufferSpec> buffers() const override {
    const DType packed = packed_type(precision, dtype);
    std::vector<BufferSpec> specs;
    for (const PackedStack& s : stacks) {
      const std::int64_t along = s.outer * s.rows * packed_pitch(precision, s.columns),
                         across = s.outer * s.columns * packed_pitch(precision, s.rows);
      specs.push_back({"from", dtype, s.count(), Access::kIn});                     // [outer, rows, columns]
      specs.push_back({"straight", packed, s.straight ? along : 0, Access::kOut});  // [outer, rows, pitch]
      specs.push_back(
          {"transposed", packed, s.transposed ? across : 0, Access::kOut});  // [outer, columns, pitch]
    }
    return specs;
  }
  double flops() const override { return 0; }  // bytes() determines the time
  bool exact_on_integers() const override { return true; }

  Precision precision;
  std::vector<PackedStack> stacks;
};

}  // namespace umbra
