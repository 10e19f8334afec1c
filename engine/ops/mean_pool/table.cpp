#include "engine/ops/mean_pool/table.h"

#include "engine/ops/mean_pool/reference.h"
#include "engine/ops/mean_pool/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void mean_pool_forward_simd(const MeanPoolForward&, Buffers, void*, Stream&);
void mean_pool_backward_simd(const MeanPoolBackward&, Buffers, void*, Stream&);

std::vector<OpFamily> mean_pool_families() {
  return {
      {"mean_pool_forward",
       {make_kernel<MeanPoolForward, mean_pool_forward_reference<float>>("mean_pool_forward", "reference",
                                                                         DType::kF32),
        make_kernel<MeanPoolForward, mean_pool_forward_reference<double>>("mean_pool_forward", "reference",
                                                                          DType::kF64),
        make_kernel<MeanPoolForward, mean_pool_forward_simd>("mean_pool_forward", "cpu_1_simd", DType::kF32)},
       mean_pool_forward_problems},
      {"mean_pool_backward",
       {make_kernel<MeanPoolBackward, mean_pool_backward_reference<float>>("mean_pool_backward", "reference",
                                                                           DType::kF32),
        make_kernel<MeanPoolBackward, mean_pool_backward_reference<double>>("mean_pool_backward", "reference",
                                                                            DType::kF64),
        make_kernel<MeanPoolBackward, mean_pool_backward_simd>("mean_pool_backward", "cpu_1_simd",
                                                               DType::kF32)},
       mean_pool_backward_problems},
  };
}

}  // namespace umbra
