// fprop, dgrad and inference in the tiles of cuda_2_tiled, multiplied by tensor cores
// (engine/cuda/tile/mma_tile.h): operands are rounded to TF32 or BF16 on their way into shared memory; sums
// and everything after them are fp32. The weights may be stored as BF16, which halves their bytes. (wgrad:
// cuda_3_mma_wgrad.cu.)
#include "engine/cuda/tile/mma_tile.h"
#include "engine/ops/conv/cuda_declines.h"
#include "engine/ops/conv/cuda_epilogue.h"
#include "engine/ops/conv/cuda_fprop_dgrad_tile.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

template <bool kDgrad, class O>
void multiply(const O& op, Buffers b, const CudaConvEpilogue& epilogue, void* workspace, Stream& stream) {
  with_mma_and_weights(op.precision, op.weights, b[1], [&](auto multiplier, const auto* weights) {
    launch_conv_tiles<kDgrad, decltype(multiplier)>(op.geometry, weights, b.in(0), epilogue, workspace,
                                                    stream.native());
  });
}

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream& stream) {  // x, w -> y
  multiply<false>(op, b, {b.out(2)}, workspace, stream);
}
void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream& stream) {  // dy, w -> dx, addend
  multiply<true>(op, b, cuda_conv_epilogue(op, b), workspace, stream);
}
void inference(const ConvInference& op, Buffers b, void* workspace, Stream& stream) {
  multiply<false>(op, b, cuda_conv_epilogue(op, b), workspace, stream);
}

template <class O>
std::size_t workspace(const O& op) {
  return conv_tile_workspace(op.geometry, std::is_same_v<O, ConvDgrad>, mma_steps(op.precision));
}

}  // namespace

Kernel conv_fprop_cuda_3_mma() {
  return make_kernel<ConvFprop, fprop, cuda_declines_fp32<ConvOp>, workspace<ConvFprop>>();
}
Kernel conv_dgrad_cuda_3_mma() {
  return make_kernel<ConvDgrad, dgrad, cuda_declines_fp32<ConvOp>, workspace<ConvDgrad>>();
}
Kernel conv_inference_cuda_3_mma() {
  return make_kernel<ConvInference, inference, cuda_declines_fp32<ConvInference>, workspace<ConvInference>>();
}

}  // namespace umbra
