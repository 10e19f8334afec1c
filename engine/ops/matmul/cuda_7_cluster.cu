// The three passes as in cuda_6_specialised, but the blocks of a cluster share a tile's slices and add their
// sums through each other's shared memory (engine/cuda/tile/tensor_cluster.cu).
#include "engine/ops/matmul/cuda_tensor_rung.h"

namespace umbra {

Kernel linear_fprop_cuda_7_cluster() {
  return LinearTensorRung<LinearFprop, TensorRung::kCluster>::kernel();
}
Kernel linear_dgrad_cuda_7_cluster() {
  return LinearTensorRung<LinearDgrad, TensorRung::kCluster>::kernel();
}
Kernel linear_wgrad_cuda_7_cluster() {
  return LinearTensorRung<LinearWgrad, TensorRung::kCluster>::kernel();
}

}  // namespace umbra
