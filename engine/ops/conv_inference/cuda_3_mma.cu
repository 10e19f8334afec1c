// conv's tiles on tensor cores (engine/cuda/mma_tile.h), finished as in cuda_2_tiled: operands rounded to
// TF32 or BF16 on their way into shared memory, sums and all behind them in fp32.
#include "engine/cuda/conv_tile.h"
#include "engine/cuda/mma_tile.h"
#include "engine/ops/conv_inference/finish_cuda.h"
#include "engine/ops/conv_inference/rungs_cuda.h"

namespace umbra {

void conv_inference_cuda_3_mma(const ConvInference& op, Buffers b, void* workspace, Stream& stream) {
  with_mma_and_weights(op.precision, op.weights, b[1], [&](auto multiplier, const auto* weights) {
    launch_conv_tiles<false, decltype(multiplier)>(op.geometry, weights,             // [live tap, Cin, Cout]
                                                   static_cast<const float*>(b[0]),  // [D, H, W, Cin, N]
                                                   conv_inference_finish_cuda(op, b), workspace,
                                                   stream.native());
  });
}

std::size_t conv_inference_cuda_3_mma_workspace(const ConvInference& op) {
  return conv_tile_workspace(op.geometry, false, mma_steps(op.precision));
}

}  // namespace umbra
