#include "engine/ops/conv_inference/table.h"

#include "engine/ops/conv_inference/reference.h"
#include "engine/ops/conv_inference/rungs.h"
#include "engine/ops/conv_inference/shapes.h"

namespace umbra {

std::vector<OpFamily> conv_inference_families() {
  constexpr std::string_view kOp = "conv_inference";
  return {{kOp,
           {make_kernel<ConvInference, conv_inference_reference<float>>(kOp, "reference", DType::kF32),
            make_kernel<ConvInference, conv_inference_reference<double>>(kOp, "reference", DType::kF64),
            conv_inference_cpu_1_tiles(), conv_inference_cpu_2_bf16_wide(), conv_inference_cpu_3_bf16(),
            conv_inference_cpu_4_tf32()},
           conv_inference_problems}};
}

}  // namespace umbra
