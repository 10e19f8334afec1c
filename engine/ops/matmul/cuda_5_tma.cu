// The three passes as in cuda_4_wgmma, but TMA copies the operands, several slices in advance
// (engine/cuda/tile/tensor_tma.cu).
#include "engine/ops/matmul/cuda_tensor_rung.h"

namespace umbra {

Kernel linear_fprop_cuda_5_tma() {
  return LinearTensorRung<LinearFprop, TensorRung::kTma>::kernel();
}
Kernel linear_dgrad_cuda_5_tma() {
  return LinearTensorRung<LinearDgrad, TensorRung::kTma>::kernel();
}
Kernel linear_wgrad_cuda_5_tma() {
  return LinearTensorRung<LinearWgrad, TensorRung::kTma>::kernel();
}

}  // namespace umbra
