#include "engine/ops/mse/table.h"

#include "engine/ops/mse/reference.h"
#include "engine/ops/mse/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void mean_squared_error_simd(const MeanSquaredError&, Buffers, void*, Stream&);
std::size_t mean_squared_error_workspace(const MeanSquaredError&);

std::vector<OpFamily> mse_families() {
  return {
      {"mean_squared_error",
       {make_kernel<MeanSquaredError, mean_squared_error_reference<float>>("mean_squared_error", "reference",
                                                                           DType::kF32),
        make_kernel<MeanSquaredError, mean_squared_error_reference<double>>("mean_squared_error", "reference",
                                                                            DType::kF64),
        make_kernel<MeanSquaredError, mean_squared_error_simd, nullptr, mean_squared_error_workspace>(
            "mean_squared_error", "cpu_1_simd", DType::kF32)},
       mean_squared_error_problems},
  };
}

}  // namespace umbra
