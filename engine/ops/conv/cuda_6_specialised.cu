// All passes and inference as in cuda_5_tma, but every warp has one job: to start copies, or to multiply
// (engine/cuda/tile/tensor_specialised.cu).
#include "engine/ops/conv/cuda_tensor_rung.h"

namespace umbra {

Kernel conv_fprop_cuda_6_specialised() {
  return ConvTensorRung<ConvFprop, TensorRung::kSpecialised>::kernel();
}
Kernel conv_dgrad_cuda_6_specialised() {
  return ConvTensorRung<ConvDgrad, TensorRung::kSpecialised>::kernel();
}
Kernel conv_wgrad_cuda_6_specialised() {
  return ConvTensorRung<ConvWgrad, TensorRung::kSpecialised>::kernel();
}
Kernel conv_inference_cuda_6_specialised() {
  return ConvTensorRung<ConvInference, TensorRung::kSpecialised>::kernel();
}

}  // namespace umbra
