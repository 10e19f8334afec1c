// All passes and inference as in cuda_4_wgmma, but TMA copies the operands, several slices in advance
// (engine/cuda/tile/tensor_tma.cu).
#include "engine/ops/conv/cuda_tensor_rung.h"

namespace umbra {

Kernel conv_fprop_cuda_5_tma() {
  return ConvTensorRung<ConvFprop, TensorRung::kTma>::kernel();
}
Kernel conv_dgrad_cuda_5_tma() {
  return ConvTensorRung<ConvDgrad, TensorRung::kTma>::kernel();
}
Kernel conv_wgrad_cuda_5_tma() {
  return ConvTensorRung<ConvWgrad, TensorRung::kTma>::kernel();
}
Kernel conv_inference_cuda_5_tma() {
  return ConvTensorRung<ConvInference, TensorRung::kTma>::kernel();
}

}  // namespace umbra
