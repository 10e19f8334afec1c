// The three passes on Hopper's tensor cores, which read operands directly from shared memory; threads copy
// them there (engine/cuda/tile/tensor_wgmma.cu).
#include "engine/ops/matmul/cuda_tensor_rung.h"

namespace umbra {

Kernel linear_fprop_cuda_4_wgmma() {
  return LinearTensorRung<LinearFprop, TensorRung::kWgmma>::kernel();
}
Kernel linear_dgrad_cuda_4_wgmma() {
  return LinearTensorRung<LinearDgrad, TensorRung::kWgmma>::kernel();
}
Kernel linear_wgrad_cuda_4_wgmma() {
  return LinearTensorRung<LinearWgrad, TensorRung::kWgmma>::kernel();
}

}  // namespace umbra
