// The CUDA rungs of add.
#include "engine/ops/add/table_cuda.h"

#include "engine/ops/add/op.h"

namespace umbra {

// In the files of these names.
void add_cuda_1_naive(const Add&, Buffers, void*, Stream&);
void add_cuda_2_vectors(const Add&, Buffers, void*, Stream&);

std::vector<OpFamily> add_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"add",
       {make_kernel<Add, add_cuda_1_naive>("add", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<Add, add_cuda_2_vectors>("add", "cuda_2_vectors", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
