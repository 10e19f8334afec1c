// The tensor rungs of conv_inference, cuda_4_wgmma to cuda_7_cluster (engine/cuda/tensor_product.h): conv's
// products, whose sums are finished on their way from registers to memory.
#include "engine/ops/conv_inference/rungs_cuda.h"
#include "engine/ops/conv_tensor_products.h"

namespace umbra {
namespace {

TensorProduct product_of(const ConvInference& op, Buffers b) {
  TensorProduct made = conv_fprop_product(op.geometry, op.precision, op.weights, b[0], b[1], b[7]);
  made.finish.gamma = static_cast<const float*>(b[2]);  // [Cout], and so on
  made.finish.beta = static_cast<const float*>(b[3]);
  made.finish.mean = static_cast<const float*>(b[4]);
  made.finish.var = static_cast<const float*>(b[5]);
  made.finish.residual = op.residual ? static_cast<const float*>(b[6]) : nullptr;
  made.finish.epsilon = op.epsilon;
  made.finish.relu = op.relu;
  return made;
}

}  // namespace

void conv_inference_cuda_tensor(const ConvInference& op, TensorRung rung, Buffers b, void* workspace,
                                Stream& stream) {
  run_tensor_product(product_of(op, b), rung, workspace, stream.native());
}
std::size_t conv_inference_cuda_tensor_workspace(const ConvInference& op, TensorRung rung) {
  constexpr void* kNoBuffers[8] = {};
  return tensor_workspace(product_of(op, kNoBuffers), rung);
}

}  // namespace umbra
