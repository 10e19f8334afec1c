// The CUDA rungs of what a device can do.
#include "engine/ops/peak/table_cuda.h"

#include "engine/ops/peak/op.h"

namespace umbra {

// In cuda_1_vectors.cu.
void peak_fma_cuda_1_vectors(const PeakFma&, Buffers, void*, Stream&);
void peak_copy_cuda_1_vectors(const PeakCopy&, Buffers, void*, Stream&);

std::vector<OpFamily> peak_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"peak_fma",
       {make_kernel<PeakFma, peak_fma_cuda_1_vectors>("peak_fma", "cuda_1_vectors", DType::kF32, kCuda)},
       nullptr},
      {"peak_copy",
       {make_kernel<PeakCopy, peak_copy_cuda_1_vectors>("peak_copy", "cuda_1_vectors", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
