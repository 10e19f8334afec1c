// wgrad as a product of matrices in tiles (cuda_wgrad_tile.h), multiplied in fp32.
#include "engine/ops/conv/cuda_declines.h"
#include "engine/ops/conv/cuda_wgrad_tile.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

std::size_t workspace(const ConvWgrad& op) {
  return wgrad_workspace(op.geometry, kTileSteps);
}

void run(const ConvWgrad& op, Buffers b, void* memory, Stream& stream) {  // x, dy -> dw
  launch_wgrad<Fp32Multiplier>(op.geometry, b.in(0), b.in(1), b.out(2), memory, stream.native());
}

}  // namespace

Kernel conv_wgrad_cuda_2_tiled() {
  return make_kernel<ConvWgrad, run, cuda_declines_unless_fp32<ConvOp>, workspace>();
}

}  // namespace umbra
