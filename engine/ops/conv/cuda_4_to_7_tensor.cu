// The tensor rungs of the convolution, cuda_4_wgmma to cuda_7_cluster. What they share and what each adds is
// told in engine/cuda/tensor_product.h; engine/ops/conv_tensor_products.h describes the passes to them.
#include "engine/ops/conv/rungs_cuda.h"
#include "engine/ops/conv_tensor_products.h"

namespace umbra {
namespace {

TensorProduct product_of(const ConvFprop& op, Buffers b) {  // x, w -> y
  return conv_fprop_product(op.geometry, op.precision, op.weights, b[0], b[1], b[2]);
}
TensorProduct product_of(const ConvDgrad& op, Buffers b) {  // dy, w -> dx
  return conv_dgrad_product(op.geometry, op.precision, op.weights, b[0], b[1], b[2]);
}
TensorProduct product_of(const ConvWgrad& op, Buffers b) {  // x, dy -> dw
  return conv_wgrad_product(op.geometry, op.precision, b[0], b[1], b[2]);
}
constexpr void* kNoBuffers[3] = {};

}  // namespace

void conv_fprop_cuda_tensor(const ConvFprop& op, TensorRung rung, Buffers b, void* workspace,
                            Stream& stream) {
  run_tensor_product(product_of(op, b), rung, workspace, stream.native());
}
void conv_dgrad_cuda_tensor(const ConvDgrad& op, TensorRung rung, Buffers b, void* workspace,
                            Stream& stream) {
  run_tensor_product(product_of(op, b), rung, workspace, stream.native());
}
void conv_wgrad_cuda_tensor(const ConvWgrad& op, TensorRung rung, Buffers b, void* workspace,
                            Stream& stream) {
  run_tensor_product(product_of(op, b), rung, workspace, stream.native());
}
std::size_t conv_fprop_cuda_tensor_workspace(const ConvFprop& op, TensorRung rung) {
  return tensor_workspace(product_of(op, kNoBuffers), rung);
}
std::size_t conv_dgrad_cuda_tensor_workspace(const ConvDgrad& op, TensorRung rung) {
  return tensor_workspace(product_of(op, kNoBuffers), rung);
}
std::size_t conv_wgrad_cuda_tensor_workspace(const ConvWgrad& op, TensorRung rung) {
  return tensor_workspace(product_of(op, kNoBuffers), rung);
}

}  // namespace umbra
