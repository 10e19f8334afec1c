// The three passes as products of matrices in tiles (cuda_matrix_tile.h), multiplied in fp32.
#include "engine/ops/linear/cuda_matrix_tile.h"
#include "engine/ops/linear/rungs_cuda.h"

namespace umbra {

std::size_t linear_fprop_cuda_2_tiled_workspace(const LinearFprop& op) {
  return matrix_workspace(op, kTileSteps);
}
std::size_t linear_dgrad_cuda_2_tiled_workspace(const LinearDgrad& op) {
  return matrix_workspace(op, kTileSteps);
}
std::size_t linear_wgrad_cuda_2_tiled_workspace(const LinearWgrad& op) {
  return matrix_workspace(op, kTileSteps);
}

void linear_fprop_cuda_2_tiled(const LinearFprop& op, Buffers b, void* workspace, Stream& stream) {
  launch_linear_fprop<Fp32Multiplier>(op, static_cast<const float*>(b[1]), b, workspace, stream);
}
void linear_dgrad_cuda_2_tiled(const LinearDgrad& op, Buffers b, void* workspace, Stream& stream) {
  launch_linear_dgrad<Fp32Multiplier>(op, static_cast<const float*>(b[1]), b, workspace, stream);
}
void linear_wgrad_cuda_2_tiled(const LinearWgrad& op, Buffers b, void* workspace, Stream& stream) {
  launch_linear_wgrad<Fp32Multiplier>(op, b, workspace, stream);
}

}  // namespace umbra
