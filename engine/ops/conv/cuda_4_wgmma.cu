// All passes and inference on Hopper's tensor cores, which read operands directly from shared memory;
// threads copy them there (engine/cuda/tile/tensor_wgmma.cu).
#include "engine/ops/conv/cuda_tensor_rung.h"

namespace umbra {

Kernel conv_fprop_cuda_4_wgmma() {
  return ConvTensorRung<ConvFprop, TensorRung::kWgmma>::kernel();
}
Kernel conv_dgrad_cuda_4_wgmma() {
  return ConvTensorRung<ConvDgrad, TensorRung::kWgmma>::kernel();
}
Kernel conv_wgrad_cuda_4_wgmma() {
  return ConvTensorRung<ConvWgrad, TensorRung::kWgmma>::kernel();
}
Kernel conv_inference_cuda_4_wgmma() {
  return ConvTensorRung<ConvInference, TensorRung::kWgmma>::kernel();
}

}  // namespace umbra
