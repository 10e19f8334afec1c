// wgrad as a product of matrices in tiles (cuda_wgrad_tile.h), multiplied in fp32.
#include "engine/ops/conv/cuda_wgrad_tile.h"
#include "engine/ops/conv/rungs_cuda.h"

namespace umbra {

std::size_t conv_wgrad_cuda_2_tiled_workspace(const ConvWgrad& op) {
  return wgrad_workspace(op.geometry, kTileSteps);
}

void conv_wgrad_cuda_2_tiled(const ConvWgrad& op, Buffers b, void* workspace,
                             Stream& stream) {  // x, dy -> dw
  launch_wgrad<Fp32Multiplier>(op.geometry, static_cast<const float*>(b[0]), static_cast<const float*>(b[1]),
                               static_cast<float*>(b[2]), workspace, stream.native());
}

}  // namespace umbra
