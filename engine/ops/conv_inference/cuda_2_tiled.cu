// conv's tiles (engine/cuda/conv_tile.h), whose sums are finished on their way from registers to memory.
// Factor and shift of a tile's channels are computed once per block, in shared memory. Where the sum is cut
// into parts, the kernel that adds them finishes.
#include "engine/cuda/conv_tile.h"
#include "engine/ops/conv_inference/finish_cuda.h"
#include "engine/ops/conv_inference/rungs_cuda.h"

namespace umbra {

void conv_inference_cuda_2_tiled(const ConvInference& op, Buffers b, void* workspace, Stream& stream) {
  launch_conv_tiles<false, Fp32Multiplier>(op.geometry,
                                           static_cast<const float*>(b[1]),  // [live tap, Cin, Cout]
                                           static_cast<const float*>(b[0]),  // [D, H, W, Cin, N]
                                           conv_inference_finish_cuda(op, b), workspace, stream.native());
}

std::size_t conv_inference_cuda_2_tiled_workspace(const ConvInference& op) {
  return conv_tile_workspace(op.geometry, false, kTileSteps);
}

}  // namespace umbra
