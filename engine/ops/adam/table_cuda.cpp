// The CUDA rungs of adam_step.
#include "engine/ops/adam/table_cuda.h"

#include "engine/ops/adam/op.h"

namespace umbra {

// In the files of these names.
void adam_step_cuda_1_naive(const AdamStep&, Buffers, void*, Stream&);
void adam_step_cuda_2_multi(const AdamStep&, Buffers, void*, Stream&);

std::vector<OpFamily> adam_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"adam_step",
       {make_kernel<AdamStep, adam_step_cuda_1_naive>("adam_step", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<AdamStep, adam_step_cuda_2_multi>("adam_step", "cuda_2_multi", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
