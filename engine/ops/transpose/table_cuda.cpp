// The CUDA rungs of transpose.
#include "engine/ops/transpose/table_cuda.h"

#include "engine/ops/transpose/op.h"

namespace umbra {

// In the files of these names.
void transpose_cuda_1_naive(const Transpose&, Buffers, void*, Stream&);
void transpose_cuda_2_tiles(const Transpose&, Buffers, void*, Stream&);

std::vector<OpFamily> transpose_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"transpose",
       {make_kernel<Transpose, transpose_cuda_1_naive>("transpose", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<Transpose, transpose_cuda_2_tiles>("transpose", "cuda_2_tiles", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
