#include "engine/ops/batch_norm/table.h"

#include "engine/ops/batch_norm/reference.h"
#include "engine/ops/batch_norm/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void batch_norm_forward_simd(const BatchNormForward&, Buffers, void*, Stream&);
std::size_t batch_norm_forward_workspace(const BatchNormForward&);
void batch_norm_inference_simd(const BatchNormInference&, Buffers, void*, Stream&);
std::size_t batch_norm_inference_workspace(const BatchNormInference&);
void batch_norm_backward_simd(const BatchNormBackward&, Buffers, void*, Stream&);
std::size_t batch_norm_backward_workspace(const BatchNormBackward&);

std::vector<OpFamily> batch_norm_families() {
  return {
      {"batch_norm_forward",
       {make_kernel<BatchNormForward, batch_norm_forward_reference<float>, needs_two_values>(
            "batch_norm_forward", "reference", DType::kF32),
        make_kernel<BatchNormForward, batch_norm_forward_reference<double>, needs_two_values>(
            "batch_norm_forward", "reference", DType::kF64),
        make_kernel<BatchNormForward, batch_norm_forward_simd, needs_two_values,
                    batch_norm_forward_workspace>("batch_norm_forward", "cpu_1_simd", DType::kF32)},
       batch_norm_forward_problems},
      {"batch_norm_inference",
       {make_kernel<BatchNormInference, batch_norm_inference_reference<float>>("batch_norm_inference",
                                                                               "reference", DType::kF32),
        make_kernel<BatchNormInference, batch_norm_inference_reference<double>>("batch_norm_inference",
                                                                                "reference", DType::kF64),
        make_kernel<BatchNormInference, batch_norm_inference_simd, nullptr, batch_norm_inference_workspace>(
            "batch_norm_inference", "cpu_1_simd", DType::kF32)},
       batch_norm_inference_problems},
      {"batch_norm_backward",
       {make_kernel<BatchNormBackward, batch_norm_backward_reference<float>, needs_a_value>(
            "batch_norm_backward", "reference", DType::kF32),
        make_kernel<BatchNormBackward, batch_norm_backward_reference<double>, needs_a_value>(
            "batch_norm_backward", "reference", DType::kF64),
        make_kernel<BatchNormBackward, batch_norm_backward_simd, needs_a_value,
                    batch_norm_backward_workspace>("batch_norm_backward", "cpu_1_simd", DType::kF32)},
       batch_norm_backward_problems},
  };
}

}  // namespace umbra
