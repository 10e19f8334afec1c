// The CUDA rungs of the chi^2 losses.
#include "engine/ops/chi2/table_cuda.h"

#include "engine/ops/chi2/op.h"

namespace umbra {

// In the files of these names.
void chi2_linear_cuda_1_block(const Chi2Linear&, Buffers, void*, Stream&);
void chi2_log_cuda_1_block(const Chi2Log&, Buffers, void*, Stream&);

std::vector<OpFamily> chi2_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"chi2_linear",
       {make_kernel<Chi2Linear, chi2_linear_cuda_1_block>("chi2_linear", "cuda_1_block", DType::kF32, kCuda)},
       nullptr},
      {"chi2_log",
       {make_kernel<Chi2Log, chi2_log_cuda_1_block>("chi2_log", "cuda_1_block", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
