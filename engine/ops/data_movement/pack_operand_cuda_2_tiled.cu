// Squares of 32 x 32 through shared memory, as in transpose: both orders are written along their rows. One launch
// for up to 64 stacks.
#include "engine/cuda/tile/packed_operand.h"
#include "engine/ops/data_movement/pack_operand.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

// from -> straight, transposed; the same of the next stack
void run(const PackOperand& op, Buffers b, void*, Stream& stream) {
  std::vector<PackedBothWays> operands;
  for (std::size_t k = 0; k < op.stacks.size(); ++k) {
    const PackedStack& s = op.stacks[k];
    const std::size_t first = PackOperand::kBuffers * k;
    operands.push_back({{b[first], DType::kF32, s.outer, s.rows, s.columns},
                        s.straight ? b[first + 1] : nullptr,
                        s.transposed ? b[first + 2] : nullptr});
  }
  pack_operands_both_ways(operands, op.precision, stream.native());
}

}  // namespace

Kernel pack_operand_cuda_2_tiled() {
  return make_kernel<PackOperand, run>();
}

}  // namespace umbra
