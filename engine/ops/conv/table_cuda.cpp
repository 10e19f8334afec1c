// The CUDA rungs of the convolution.
#include "engine/ops/conv/table_cuda.h"

#include "engine/ops/conv/rungs_cuda.h"
#include "engine/ops/conv_axis.h"
#include "engine/ops/rounding.h"

namespace umbra {
namespace {

std::string declines_rounded(const ConvOp& op) {
  const std::string other = declines_other_precisions(Precision::kF32, op.precision, op.weights);
  return other.empty() ? conv_map_declines(op.geometry) : other;
}
std::string declines_fp32(const ConvOp& op) {
  if (op.precision == Precision::kF32) return "it computes with precision tf32 or bf16 only";
  return conv_map_declines(op.geometry);
}

template <class O, auto Run, auto Declines, auto Workspace = nullptr>
Kernel rung(std::string_view op, std::string_view name) {
  return make_kernel<O, Run, Declines, Workspace>(op, name, DType::kF32, Device::Kind::kCuda);
}

std::string declines_tensor(const ConvOp& op) {
  return tensor_declines(op.geometry, op.precision);
}

template <class O, auto Naive, auto Tiled, auto TiledWorkspace, auto Mma, auto MmaWorkspace, auto Tensor,
          auto TensorWorkspace>
OpFamily ladder(std::string_view op) {
  OpFamily family{op,
                  {rung<O, Naive, declines_rounded>(op, "cuda_1_naive"),
                   rung<O, Tiled, declines_rounded, TiledWorkspace>(op, "cuda_2_tiled"),
                   rung<O, Mma, declines_fp32, MmaWorkspace>(op, "cuda_3_mma")},
                  nullptr};
  add_tensor_rungs<O, Tensor, TensorWorkspace, declines_tensor>(family.kernels, op);
  return family;
}

}  // namespace

std::vector<OpFamily> conv_cuda_families() {
  return {
      ladder<ConvFprop, conv_fprop_cuda_1_naive, conv_fprop_cuda_2_tiled, conv_fprop_cuda_2_tiled_workspace,
             conv_fprop_cuda_3_mma, conv_fprop_cuda_3_mma_workspace, conv_fprop_cuda_tensor,
             conv_fprop_cuda_tensor_workspace>("conv_fprop"),
      ladder<ConvDgrad, conv_dgrad_cuda_1_naive, conv_dgrad_cuda_2_tiled, conv_dgrad_cuda_2_tiled_workspace,
             conv_dgrad_cuda_3_mma, conv_dgrad_cuda_3_mma_workspace, conv_dgrad_cuda_tensor,
             conv_dgrad_cuda_tensor_workspace>("conv_dgrad"),
      ladder<ConvWgrad, conv_wgrad_cuda_1_naive, conv_wgrad_cuda_2_tiled, conv_wgrad_cuda_2_tiled_workspace,
             conv_wgrad_cuda_3_mma, conv_wgrad_cuda_3_mma_workspace, conv_wgrad_cuda_tensor,
             conv_wgrad_cuda_tensor_workspace>("conv_wgrad"),
  };
}

}  // namespace umbra
