// The CUDA rungs of conv_inference.
#include "engine/ops/conv_inference/table_cuda.h"

#include "engine/ops/conv_axis.h"
#include "engine/ops/conv_inference/rungs_cuda.h"

namespace umbra {
namespace {

std::string declines(const ConvInference& op) {
  if (op.operands != ConvOperands::kExact) return "it computes with precision fp32 only";
  return conv_map_declines(op.geometry);
}

}  // namespace

std::vector<OpFamily> conv_inference_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  constexpr std::string_view kOp = "conv_inference";
  return {
      {kOp,
       {make_kernel<ConvInference, conv_inference_cuda_1_naive, declines>(kOp, "cuda_1_naive", DType::kF32,
                                                                          kCuda),
        make_kernel<ConvInference, conv_inference_cuda_2_tiled, declines,
                    conv_inference_cuda_2_tiled_workspace>(kOp, "cuda_2_tiled", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
