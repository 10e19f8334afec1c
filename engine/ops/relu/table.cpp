#include "engine/ops/relu/table.h"

#include "engine/ops/relu/reference.h"
#include "engine/ops/relu/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void relu_forward_simd(const ReluForward&, Buffers, void*, Stream&);
void relu_backward_simd(const ReluBackward&, Buffers, void*, Stream&);

std::vector<OpFamily> relu_families() {
  return {
      {"relu_forward",
       {make_kernel<ReluForward, relu_forward_reference<float>>("relu_forward", "reference", DType::kF32),
        make_kernel<ReluForward, relu_forward_reference<double>>("relu_forward", "reference", DType::kF64),
        make_kernel<ReluForward, relu_forward_simd>("relu_forward", "cpu_1_simd", DType::kF32)},
       relu_forward_problems},
      {"relu_backward",
       {make_kernel<ReluBackward, relu_backward_reference<float>>("relu_backward", "reference", DType::kF32),
        make_kernel<ReluBackward, relu_backward_reference<double>>("relu_backward", "reference", DType::kF64),
        make_kernel<ReluBackward, relu_backward_simd>("relu_backward", "cpu_1_simd", DType::kF32)},
       relu_backward_problems},
  };
}

}  // namespace umbra
