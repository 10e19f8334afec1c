// fprop and dgrad as products of matrices in tiles (engine/cuda/conv_tile.h): sums in registers, operands
// through shared memory, only (tap, position) pairs that touch data. What a tile loads is used by 64 or 128
// rows, or columns, of it.
#include "engine/cuda/conv_tile.h"
#include "engine/ops/conv/rungs_cuda.h"

namespace umbra {
void conv_fprop_cuda_2_tiled(const ConvFprop& op, Buffers b, void* workspace, Stream& stream) {  // x, w -> y
  launch_conv_tiles<false, Fp32Multiplier>(
      op.geometry, static_cast<const float*>(b[1]), static_cast<const float*>(b[0]),
      SumsAsTheyAre{static_cast<float*>(b[2])}, workspace, stream.native());
}
void conv_dgrad_cuda_2_tiled(const ConvDgrad& op, Buffers b, void* workspace,
                             Stream& stream) {  // dy, w -> dx
  launch_conv_tiles<true, Fp32Multiplier>(
      op.geometry, static_cast<const float*>(b[1]), static_cast<const float*>(b[0]),
      SumsAsTheyAre{static_cast<float*>(b[2])}, workspace, stream.native());
}

std::size_t conv_fprop_cuda_2_tiled_workspace(const ConvFprop& op) {
  return conv_tile_workspace(op.geometry, false, kTileSteps);
}
std::size_t conv_dgrad_cuda_2_tiled_workspace(const ConvDgrad& op) {
  return conv_tile_workspace(op.geometry, true, kTileSteps);
}

}  // namespace umbra
