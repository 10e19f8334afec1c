// The three passes in the tiles of cuda_2_tiled, multiplied by tensor cores (engine/cuda/mma_tile.h):
// operands rounded to TF32 or BF16 on their way into shared memory, sums in fp32. The weights may be in
// memory as BF16, half the bytes.
#include "engine/cuda/mma_tile.h"
#include "engine/ops/linear/cuda_matrix_tile.h"
#include "engine/ops/linear/rungs_cuda.h"

namespace umbra {

std::size_t linear_fprop_cuda_3_mma_workspace(const LinearFprop& op) {
  return matrix_workspace(op, mma_steps(op.precision));
}
std::size_t linear_dgrad_cuda_3_mma_workspace(const LinearDgrad& op) {
  return matrix_workspace(op, mma_steps(op.precision));
}
std::size_t linear_wgrad_cuda_3_mma_workspace(const LinearWgrad& op) {
  return matrix_workspace(op, mma_steps(op.precision));
}

void linear_fprop_cuda_3_mma(const LinearFprop& op, Buffers b, void* workspace, Stream& stream) {
  with_mma_and_weights(op.precision, op.weights, b[1], [&](auto multiplier, const auto* weights) {
    launch_linear_fprop<decltype(multiplier)>(op, weights, b, workspace, stream);
  });
}
void linear_dgrad_cuda_3_mma(const LinearDgrad& op, Buffers b, void* workspace, Stream& stream) {
  with_mma_and_weights(op.precision, op.weights, b[1], [&](auto multiplier, const auto* weights) {
    launch_linear_dgrad<decltype(multiplier)>(op, weights, b, workspace, stream);
  });
}
void linear_wgrad_cuda_3_mma(const LinearWgrad& op, Buffers b, void* workspace, Stream& stream) {
  with_mma(op.precision,
           [&](auto multiplier) { launch_linear_wgrad<decltype(multiplier)>(op, b, workspace, stream); });
}

}  // namespace umbra
