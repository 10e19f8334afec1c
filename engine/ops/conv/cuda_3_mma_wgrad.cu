// wgrad in the tiles of cuda_2_tiled, multiplied by tensor cores: x and dy rounded to TF32 or BF16 on their
// way into shared memory, sums in fp32. In BF16 a word is two samples, or the last of a position and the
// first of the next.
#include "engine/cuda/mma_tile.h"
#include "engine/ops/conv/cuda_wgrad_tile.h"
#include "engine/ops/conv/rungs_cuda.h"

namespace umbra {

std::size_t conv_wgrad_cuda_3_mma_workspace(const ConvWgrad& op) {
  return wgrad_workspace(op.geometry, mma_steps(op.precision));
}

void conv_wgrad_cuda_3_mma(const ConvWgrad& op, Buffers b, void* workspace, Stream& stream) {  // x, dy -> dw
  with_mma(op.precision, [&](auto multiplier) {
    launch_wgrad<decltype(multiplier)>(op.geometry, static_cast<const float*>(b[0]),
                                       static_cast<const float*>(b[1]), static_cast<float*>(b[2]), workspace,
                                       stream.native());
  });
}

}  // namespace umbra
