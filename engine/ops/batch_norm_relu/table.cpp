#include "engine/ops/batch_norm_relu/table.h"

#include "engine/ops/batch_norm_relu/reference.h"
#include "engine/ops/batch_norm_relu/shapes.h"

namespace umbra {

// In cpu_1_fused.cpp.
void batch_norm_relu_forward_fused(const BatchNormReluForward&, Buffers, void*, Stream&);
std::size_t batch_norm_relu_forward_workspace(const BatchNormReluForward&);
void batch_norm_relu_inference_fused(const BatchNormReluInference&, Buffers, void*, Stream&);
std::size_t batch_norm_relu_inference_workspace(const BatchNormReluInference&);
void batch_norm_relu_backward_fused(const BatchNormReluBackward&, Buffers, void*, Stream&);
std::size_t batch_norm_relu_backward_workspace(const BatchNormReluBackward&);

std::vector<OpFamily> batch_norm_relu_families() {
  constexpr std::string_view kForward = "batch_norm_relu_forward", kInference = "batch_norm_relu_inference",
                             kBackward = "batch_norm_relu_backward";
  return {
      {kForward,
       {make_kernel<BatchNormReluForward, batch_norm_relu_forward_reference<float>,
                    batch_norm_relu_needs_two>(kForward, "reference", DType::kF32),
        make_kernel<BatchNormReluForward, batch_norm_relu_forward_reference<double>,
                    batch_norm_relu_needs_two>(kForward, "reference", DType::kF64),
        make_kernel<BatchNormReluForward, batch_norm_relu_forward_fused, batch_norm_relu_needs_two,
                    batch_norm_relu_forward_workspace>(kForward, "cpu_1_fused", DType::kF32)},
       batch_norm_relu_forward_problems},
      {kInference,
       {make_kernel<BatchNormReluInference, batch_norm_relu_inference_reference<float>>(
            kInference, "reference", DType::kF32),
        make_kernel<BatchNormReluInference, batch_norm_relu_inference_reference<double>>(
            kInference, "reference", DType::kF64),
        make_kernel<BatchNormReluInference, batch_norm_relu_inference_fused, nullptr,
                    batch_norm_relu_inference_workspace>(kInference, "cpu_1_fused", DType::kF32)},
       batch_norm_relu_inference_problems},
      {kBackward,
       {make_kernel<BatchNormReluBackward, batch_norm_relu_backward_reference<float>,
                    batch_norm_relu_needs_one>(kBackward, "reference", DType::kF32),
        make_kernel<BatchNormReluBackward, batch_norm_relu_backward_reference<double>,
                    batch_norm_relu_needs_one>(kBackward, "reference", DType::kF64),
        make_kernel<BatchNormReluBackward, batch_norm_relu_backward_fused, batch_norm_relu_needs_one,
                    batch_norm_relu_backward_workspace>(kBackward, "cpu_1_fused", DType::kF32)},
       batch_norm_relu_backward_problems},
  };
}

}  // namespace umbra
