// Squares of 32 x 32 through shared memory, as in transpose: both orders are written along their rows.
#include "engine/cuda/tile/packed_operand.h"
#include "engine/ops/data_movement/pack_operand.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

void run(const PackOperand& op, Buffers b, void*, Stream& stream) {  // from -> straight, transposed
  pack_operand_both_ways({b[0], DType::kF32, op.outer, op.rows, op.columns}, op.precision, b[1], b[2],
                         stream.native());
}

}  // namespace

Kernel pack_operand_cuda_2_tiled() {
  return make_kernel<PackOperand, run>();
}

}  // namespace umbra
