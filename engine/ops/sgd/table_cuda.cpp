// The CUDA rungs of sgd_step.
#include "engine/ops/sgd/table_cuda.h"

#include "engine/ops/sgd/op.h"

namespace umbra {

// In the files of these names.
void sgd_step_cuda_1_naive(const SgdStep&, Buffers, void*, Stream&);
void sgd_step_cuda_2_multi(const SgdStep&, Buffers, void*, Stream&);

std::vector<OpFamily> sgd_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"sgd_step",
       {make_kernel<SgdStep, sgd_step_cuda_1_naive>("sgd_step", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<SgdStep, sgd_step_cuda_2_multi>("sgd_step", "cuda_2_multi", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
