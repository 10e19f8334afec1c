// All passes and inference as in cuda_6_specialised, but the blocks of a cluster share a tile's slices and
// add their sums through each other's shared memory (engine/cuda/tile/tensor_cluster.cu).
#include "engine/ops/conv/cuda_tensor_rung.h"

namespace umbra {

Kernel conv_fprop_cuda_7_cluster() {
  return ConvTensorRung<ConvFprop, TensorRung::kCluster>::kernel();
}
Kernel conv_dgrad_cuda_7_cluster() {
  return ConvTensorRung<ConvDgrad, TensorRung::kCluster>::kernel();
}
Kernel conv_wgrad_cuda_7_cluster() {
  return ConvTensorRung<ConvWgrad, TensorRung::kCluster>::kernel();
}
Kernel conv_inference_cuda_7_cluster() {
  return ConvTensorRung<ConvInference, TensorRung::kCluster>::kernel();
}

}  // namespace umbra
