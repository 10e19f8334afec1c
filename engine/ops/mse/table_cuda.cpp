// The CUDA rungs of the mean squared error.
#include "engine/ops/mse/table_cuda.h"

#include "engine/ops/mse/op.h"

namespace umbra {

// In the files of these names.
void mean_squared_error_cuda_1_block(const MeanSquaredError&, Buffers, void*, Stream&);

std::vector<OpFamily> mse_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"mean_squared_error",
       {make_kernel<MeanSquaredError, mean_squared_error_cuda_1_block>("mean_squared_error", "cuda_1_block",
                                                                       DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
