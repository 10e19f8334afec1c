// The three passes as in cuda_5_tma, but every warp has one job: to start copies, or to multiply
// (engine/cuda/tile/tensor_specialised.cu).
#include "engine/ops/matmul/cuda_tensor_rung.h"

namespace umbra {

Kernel linear_fprop_cuda_6_specialised() {
  return LinearTensorRung<LinearFprop, TensorRung::kSpecialised>::kernel();
}
Kernel linear_dgrad_cuda_6_specialised() {
  return LinearTensorRung<LinearDgrad, TensorRung::kSpecialised>::kernel();
}
Kernel linear_wgrad_cuda_6_specialised() {
  return LinearTensorRung<LinearWgrad, TensorRung::kSpecialised>::kernel();
}

}  // namespace umbra
