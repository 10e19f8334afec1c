// fprop and dgrad in the tiles of cuda_2_tiled, multiplied by tensor cores (engine/cuda/mma_tile.h): operands
// rounded to TF32 or BF16 on their way into shared memory, sums in fp32. The weights may be in memory as
// BF16, half the bytes.
#include "engine/cuda/conv_tile.h"
#include "engine/cuda/mma_tile.h"
#include "engine/ops/conv/rungs_cuda.h"

namespace umbra {
namespace {

template <bool kDgrad>
void multiply(const ConvOp& op, Buffers b, void* workspace, Stream& stream) {
  with_mma_and_weights(op.precision, op.weights, b[1], [&](auto multiplier, const auto* weights) {
    launch_conv_tiles<kDgrad, decltype(multiplier)>(op.geometry, weights, static_cast<const float*>(b[0]),
                                                    SumsAsTheyAre{static_cast<float*>(b[2])}, workspace,
                                                    stream.native());
  });
}

}  // namespace

void conv_fprop_cuda_3_mma(const ConvFprop& op, Buffers b, void* workspace, Stream& stream) {  // x, w -> y
  multiply<false>(op, b, workspace, stream);
}
void conv_dgrad_cuda_3_mma(const ConvDgrad& op, Buffers b, void* workspace, Stream& stream) {  // dy, w -> dx
  multiply<true>(op, b, workspace, stream);
}

std::size_t conv_fprop_cuda_3_mma_workspace(const ConvFprop& op) {
  return conv_tile_workspace(op.geometry, false, mma_steps(op.precision));
}
std::size_t conv_dgrad_cuda_3_mma_workspace(const ConvDgrad& op) {
  return conv_tile_workspace(op.geometry, true, mma_steps(op.precision));
}

}  // namespace umbra
