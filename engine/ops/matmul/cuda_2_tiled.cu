// The three passes as products of matrices in tiles (cuda_matrix_tile.h), multiplied in fp32.
#include "engine/ops/kernel.h"
#include "engine/ops/matmul/cuda_declines.h"
#include "engine/ops/matmul/cuda_matrix_tile.h"
#include "engine/ops/matmul/op.h"

namespace umbra {
namespace {

template <class O>
std::size_t workspace(const O& op) {
  return matrix_workspace(op, kTileSteps);
}

void fprop(const LinearFprop& op, Buffers b, void* memory, Stream& stream) {  // x, w, b -> y
  launch_linear_fprop<Fp32Multiplier>(op, b.in(1), b, memory, stream);
}
void dgrad(const LinearDgrad& op, Buffers b, void* memory, Stream& stream) {  // dy, w -> dx
  launch_linear_dgrad<Fp32Multiplier>(op, b.in(1), b, memory, stream);
}
void wgrad(const LinearWgrad& op, Buffers b, void* memory, Stream& stream) {  // x, dy -> dw, db
  launch_linear_wgrad<Fp32Multiplier>(op, b, memory, stream);
}

}  // namespace

Kernel linear_fprop_cuda_2_tiled() {
  return make_kernel<LinearFprop, fprop, cuda_declines_unless_fp32, workspace<LinearFprop>>();
}
Kernel linear_dgrad_cuda_2_tiled() {
  return make_kernel<LinearDgrad, dgrad, cuda_declines_unless_fp32, workspace<LinearDgrad>>();
}
Kernel linear_wgrad_cuda_2_tiled() {
  return make_kernel<LinearWgrad, wgrad, cuda_declines_unless_fp32, workspace<LinearWgrad>>();
}

}  // namespace umbra
