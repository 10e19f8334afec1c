// Makes a CPU rung for rounded operands out of a rung for fp32: the operands are rounded into the
// workspace, and the fp32 rung multiplies them. The products have exactly the operands that a GPU's tensor
// cores see. It takes the time of fp32 plus that of rounding: it is for tests, and for CPUs without an
// instruction for the format.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "engine/ops/kernel.h"
#include "engine/ops/shared/chunks.h"
#include "engine/ops/shared/rounding.h"
#include "engine/ops/shared/workspace_allocator.h"

namespace umbra {

/// to[i] = the `count` numbers of type `type` (f32 or bf16) at `from`, rounded to `precision`.
inline void round_operand(Precision precision, const void* from, DType type, std::int64_t count, float* to) {
  with_rounding(precision, [&](const auto& rounded) {
    with_weights<float>(type, from, [&](const auto* numbers) {
      parallel_chunks(count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) to[i] = rounded(static_cast<float>(numbers[i]));
      });
    });
  });
}

/// Rule gives the type of the ops (Problem), the element counts of the operands of the products, which are
/// the first two buffers (operands), the same op in fp32 (plain) and the fp32 rung for an op (rung).
template <class Rule>
struct RoundedRung {
  using O = typename Rule::Problem;
  static constexpr std::size_t kMostBuffers = 8;

  static std::string declines(const O& op) {
    const std::string other = declines_fp32(op.precision);
    return other.empty() ? Rule::rung(op).declines(Rule::plain(op)) : other;
  }
  static std::size_t workspace(const O& op) {
    WorkspaceAllocator allocator(nullptr);
    for (const std::int64_t count : Rule::operands(op)) allocator.take<float>(count);
    return allocator.used() + Rule::rung(op).workspace(Rule::plain(op));
  }
  static void run(const O& op, Buffers b, void* memory, Stream& stream) {
    WorkspaceAllocator allocator(memory);
    std::array<void*, kMostBuffers> buffers{};
    std::copy(b.begin(), b.end(), buffers.begin());
    const std::array<std::int64_t, 2> counts = Rule::operands(op);
    for (std::size_t i = 0; i < 2; ++i) {
      float* const rounded = allocator.take<float>(counts[i]).data();
      round_operand(op.precision, b[i], i == 1 ? op.weights : op.dtype, counts[i], rounded);
      buffers[i] = rounded;
    }
    Rule::rung(op).run(Rule::plain(op), Buffers(buffers.data(), b.size()),
                       static_cast<std::byte*>(memory) + allocator.used(), stream);
  }
  static Kernel kernel() { return make_kernel<O, run, declines, workspace>(); }
};

}  // namespace umbra
