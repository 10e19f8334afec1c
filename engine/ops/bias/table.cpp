#include "engine/ops/bias/table.h"

#include "engine/ops/bias/reference.h"
#include "engine/ops/bias/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void bias_forward_simd(const BiasForward&, Buffers, void*, Stream&);
void bias_backward_simd(const BiasBackward&, Buffers, void*, Stream&);
std::size_t bias_backward_workspace(const BiasBackward&);

std::vector<OpFamily> bias_families() {
  return {
      {"bias_forward",
       {make_kernel<BiasForward, bias_forward_reference<float>>("bias_forward", "reference", DType::kF32),
        make_kernel<BiasForward, bias_forward_reference<double>>("bias_forward", "reference", DType::kF64),
        make_kernel<BiasForward, bias_forward_simd>("bias_forward", "cpu_1_simd", DType::kF32)},
       bias_forward_problems},
      {"bias_backward",
       {make_kernel<BiasBackward, bias_backward_reference<float>>("bias_backward", "reference", DType::kF32),
        make_kernel<BiasBackward, bias_backward_reference<double>>("bias_backward", "reference", DType::kF64),
        make_kernel<BiasBackward, bias_backward_simd, nullptr, bias_backward_workspace>(
            "bias_backward", "cpu_1_simd", DType::kF32)},
       bias_backward_problems},
  };
}

}  // namespace umbra
