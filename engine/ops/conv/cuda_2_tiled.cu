// fprop, dgrad and inference as products of matrices in tiles (cuda_fprop_dgrad_tile.h), multiplied in
// fp32: sums in registers, operands through shared memory, only (tap, position) pairs that touch data. Each
// number that a tile loads is used by 64 or 128 of its rows or columns. Inference runs its epilogue on the
// sums before they are stored, or in the kernel that adds their parts. (wgrad: cuda_2_tiled_wgrad.cu.)
#include "engine/ops/conv/cuda_declines.h"
#include "engine/ops/conv/cuda_epilogue.h"
#include "engine/ops/conv/cuda_fprop_dgrad_tile.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream& stream) {  // x, w -> y
  launch_conv_tiles<false, Fp32Multiplier>(op.geometry, b.in(1), b.in(0), {b.out(2)}, workspace,
                                           stream.native());
}
void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream& stream) {  // dy, w -> dx, addend
  launch_conv_tiles<true, Fp32Multiplier>(op.geometry, b.in(1), b.in(0), cuda_conv_epilogue(op, b), workspace,
                                          stream.native());
}
void inference(const ConvInference& op, Buffers b, void* workspace, Stream& stream) {
  launch_conv_tiles<false, Fp32Multiplier>(op.geometry,
                                           b.in(1),  // [live tap, Cin, Cout]
                                           b.in(0),  // [D, H, W, Cin, N]
                                           cuda_conv_epilogue(op, b), workspace, stream.native());
}

template <class O>
std::size_t workspace(const O& op) {
  return conv_tile_workspace(op.geometry, std::is_same_v<O, ConvDgrad>, kTileSteps);
}

}  // namespace

Kernel conv_fprop_cuda_2_tiled() {
  return make_kernel<ConvFprop, fprop, cuda_declines_unless_fp32<ConvOp>, workspace<ConvFprop>>();
}
Kernel conv_dgrad_cuda_2_tiled() {
  return make_kernel<ConvDgrad, dgrad, cuda_declines_unless_fp32<ConvOp>, workspace<ConvDgrad>>();
}
Kernel conv_inference_cuda_2_tiled() {
  return make_kernel<ConvInference, inference, cuda_declines_unless_fp32<ConvInference>,
                     workspace<ConvInference>>();
}

}  // namespace umbra
