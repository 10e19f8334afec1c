// The three passes in the tiles of cuda_2_tiled, multiplied by tensor cores (engine/cuda/tile/mma_tile.h):
// operands are rounded to TF32 or BF16 on their way into shared memory, sums are fp32. The weights may be
// stored as BF16, which halves their bytes.
#include "engine/cuda/tile/mma_tile.h"
#include "engine/ops/kernel.h"
#include "engine/ops/matmul/cuda_declines.h"
#include "engine/ops/matmul/cuda_matrix_tile.h"
#include "engine/ops/matmul/op.h"

namespace umbra {
namespace {

template <class O>
std::size_t workspace(const O& op) {
  return matrix_workspace(op, mma_steps(op.precision));
}

void fprop(const LinearFprop& op, Buffers b, void* memory, Stream& stream) {  // x, w, b -> y
  with_mma_and_weights(op.precision, op.weights, b[1], [&](auto multiplier, const auto* weights) {
    launch_linear_fprop<decltype(multiplier)>(op, weights, b, memory, stream);
  });
}
void dgrad(const LinearDgrad& op, Buffers b, void* memory, Stream& stream) {  // dy, w -> dx
  with_mma_and_weights(op.precision, op.weights, b[1], [&](auto multiplier, const auto* weights) {
    launch_linear_dgrad<decltype(multiplier)>(op, weights, b, memory, stream);
  });
}
void wgrad(const LinearWgrad& op, Buffers b, void* memory, Stream& stream) {  // x, dy -> dw, db
  with_mma(op.precision,
           [&](auto multiplier) { launch_linear_wgrad<decltype(multiplier)>(op, b, memory, stream); });
}

}  // namespace

Kernel linear_fprop_cuda_3_mma() {
  return make_kernel<LinearFprop, fprop, cuda_declines_fp32, workspace<LinearFprop>>();
}
Kernel linear_dgrad_cuda_3_mma() {
  return make_kernel<LinearDgrad, dgrad, cuda_declines_fp32, workspace<LinearDgrad>>();
}
Kernel linear_wgrad_cuda_3_mma() {
  return make_kernel<LinearWgrad, wgrad, cuda_declines_fp32, workspace<LinearWgrad>>();
}

}  // namespace umbra
