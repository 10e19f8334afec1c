// The CUDA rungs of dropout.
#include "engine/ops/dropout/table_cuda.h"

#include "engine/ops/dropout/op.h"

namespace umbra {

// In the files of these names.
void dropout_cuda_1_naive(const Dropout&, Buffers, void*, Stream&);
void dropout_cuda_2_vectors(const Dropout&, Buffers, void*, Stream&);

std::vector<OpFamily> dropout_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"dropout",
       {make_kernel<Dropout, dropout_cuda_1_naive>("dropout", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<Dropout, dropout_cuda_2_vectors>("dropout", "cuda_2_vectors", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
