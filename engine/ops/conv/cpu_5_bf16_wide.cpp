// Inference with operands rounded to bfloat16 on any CPU: fp32 tiles of numbers that a bfloat16 can hold. It
// saves memory, not time.
#include "engine/ops/conv/bf16_inference.h"
#include "engine/ops/conv/declines.h"
#include "engine/ops/kernel.h"

namespace umbra {

Kernel conv_inference_cpu_5_bf16_wide() {
  return make_kernel<ConvInference, conv_inference_bf16<Bf16Sums::kWide>, declines_unless_bf16<ConvInference>,
                     conv_inference_bf16_workspace<Bf16Sums::kWide>>();
}

}  // namespace umbra
