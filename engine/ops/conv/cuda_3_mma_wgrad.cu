// wgrad in the tiles of cuda_2_tiled, multiplied by tensor cores: x and dy are rounded to TF32 or BF16 on
// their way into shared memory, sums are fp32. In BF16 a word is two samples, or the last of a position and
// the first of the next.
#include "engine/cuda/tile/mma_tile.h"
#include "engine/ops/conv/cuda_declines.h"
#include "engine/ops/conv/cuda_wgrad_tile.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

std::size_t workspace(const ConvWgrad& op) {
  return wgrad_workspace(op.geometry, mma_steps(op.precision));
}

void run(const ConvWgrad& op, Buffers b, void* memory, Stream& stream) {  // x, dy -> dw
  with_mma(op.precision, [&](auto multiplier) {
    launch_wgrad<decltype(multiplier)>(op.geometry, b.in(0), b.in(1), b.out(2), memory, stream.native());
  });
}

}  // namespace

Kernel conv_wgrad_cuda_3_mma() {
  return make_kernel<ConvWgrad, run, cuda_declines_fp32<ConvOp>, workspace>();
}

}  // namespace umbra
