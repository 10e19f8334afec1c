// The CUDA rungs of conv_inference.
#include "engine/ops/conv_inference/table_cuda.h"

#include "engine/ops/conv_axis.h"
#include "engine/ops/conv_inference/rungs_cuda.h"
#include "engine/ops/rounding.h"

namespace umbra {
namespace {

std::string declines_rounded(const ConvInference& op) {
  const std::string other = declines_other_precisions(Precision::kF32, op.precision, op.weights);
  return other.empty() ? conv_map_declines(op.geometry) : other;
}
std::string declines_fp32(const ConvInference& op) {
  if (op.precision == Precision::kF32) return "it computes with precision tf32 or bf16 only";
  return conv_map_declines(op.geometry);
}

template <class O, auto Run, auto Declines, auto Workspace = nullptr>
Kernel rung(std::string_view op, std::string_view name) {
  return make_kernel<O, Run, Declines, Workspace>(op, name, DType::kF32, Device::Kind::kCuda);
}

std::string declines_tensor(const ConvInference& op) {
  return tensor_declines(op.geometry, op.precision);
}

}  // namespace

std::vector<OpFamily> conv_inference_cuda_families() {
  constexpr std::string_view kOp = "conv_inference";
  OpFamily family{
      kOp,
      {rung<ConvInference, conv_inference_cuda_1_naive, declines_rounded>(kOp, "cuda_1_naive"),
       rung<ConvInference, conv_inference_cuda_2_tiled, declines_rounded,
            conv_inference_cuda_2_tiled_workspace>(kOp, "cuda_2_tiled"),
       rung<ConvInference, conv_inference_cuda_3_mma, declines_fp32, conv_inference_cuda_3_mma_workspace>(
           kOp, "cuda_3_mma")},
      nullptr};
  add_tensor_rungs<ConvInference, conv_inference_cuda_tensor, conv_inference_cuda_tensor_workspace,
                   declines_tensor>(family.kernels, kOp);
  return {family};
}

}  // namespace umbra
