// Rounded operands on any CPU: fp32 tiles of numbers that a bfloat16 can hold. It saves memory, not time.
#include "engine/ops/conv_inference/bf16_rung.h"
#include "engine/ops/conv_inference/rungs.h"

namespace umbra {
namespace {

std::string declines(const ConvInference& op) {
  if (op.precision != Precision::kBf16) return "it computes with precision bf16 only";
  return too_many_positions(op.geometry);
}

}  // namespace

Kernel conv_inference_cpu_2_bf16_wide() {
  return make_kernel<ConvInference, conv_inference_bf16<Bf16Sums::kWide>, declines,
                     conv_inference_bf16_workspace<Bf16Sums::kWide>>("conv_inference", "cpu_2_bf16_wide",
                                                                     DType::kF32);
}

}  // namespace umbra
