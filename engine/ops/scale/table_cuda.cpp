// The CUDA rungs of scale and set_value.
#include "engine/ops/scale/table_cuda.h"

#include "engine/ops/scale/op.h"

namespace umbra {

// In the files of these names.
void scale_cuda_1_naive(const Scale&, Buffers, void*, Stream&);
void scale_cuda_2_vectors(const Scale&, Buffers, void*, Stream&);
void set_value_cuda_1_naive(const SetValue&, Buffers, void*, Stream&);
void set_value_cuda_2_vectors(const SetValue&, Buffers, void*, Stream&);

std::vector<OpFamily> scale_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"scale",
       {make_kernel<Scale, scale_cuda_1_naive>("scale", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<Scale, scale_cuda_2_vectors>("scale", "cuda_2_vectors", DType::kF32, kCuda)},
       nullptr},
      {"set_value",
       {make_kernel<SetValue, set_value_cuda_1_naive>("set_value", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<SetValue, set_value_cuda_2_vectors>("set_value", "cuda_2_vectors", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
