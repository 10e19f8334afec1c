// Rounded operands with the CPU's dot product of bfloat16.
#include "engine/cpu/bf16_tile.h"
#include "engine/ops/conv_inference/bf16_rung.h"
#include "engine/ops/conv_inference/rungs.h"

namespace umbra {
namespace {

std::string declines(const ConvInference& op) {
  if (op.precision != Precision::kBf16) return "it computes with precision bf16 only";
  if (!bf16_tile_supported()) return "this CPU has no bfloat16 dot product (AVX-512 BF16 or Arm's BF16)";
  return too_many_positions(op.geometry);
}

}  // namespace

Kernel conv_inference_cpu_3_bf16() {
  return make_kernel<ConvInference, conv_inference_bf16<Bf16Sums::kDots>, declines,
                     conv_inference_bf16_workspace<Bf16Sums::kDots>>("conv_inference", "cpu_3_bf16",
                                                                     DType::kF32);
}

}  // namespace umbra
