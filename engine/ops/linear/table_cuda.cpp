// The CUDA rungs of the fully connected layer.
#include "engine/ops/linear/table_cuda.h"

#include "engine/ops/linear/rungs_cuda.h"
#include "engine/ops/rounding.h"

namespace umbra {
namespace {

std::string declines_large(const LinearOp& op) {
  constexpr double kMost = 2147483647.0 - 1024;  // and the index past a tile at the end is a number, too
  const double rows = static_cast<double>(op.rows), in = static_cast<double>(op.in) + 1;
  const double out = static_cast<double>(op.out);
  if (rows * in > kMost || rows * out > kMost || in * out > kMost) {
    return "a matrix has more than 2^31 - 1024 elements";
  }
  return {};
}
std::string declines_rounded(const LinearOp& op) {
  const std::string other = declines_other_precisions(Precision::kF32, op.precision, op.weights);
  return other.empty() ? declines_large(op) : other;
}
std::string declines_fp32(const LinearOp& op) {
  if (op.precision == Precision::kF32) return "it computes with precision tf32 or bf16 only";
  return declines_large(op);
}

template <class O, auto Run, auto Declines, auto Workspace = nullptr>
Kernel rung(std::string_view op, std::string_view name) {
  return make_kernel<O, Run, Declines, Workspace>(op, name, DType::kF32, Device::Kind::kCuda);
}

std::string declines_tensor(const LinearOp& op) {
  const std::string reason = tensor_declines(op.precision);
  return reason.empty() ? declines_large(op) : reason;
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

std::vector<OpFamily> linear_cuda_families() {
  return {
      ladder<LinearFprop, linear_fprop_cuda_1_naive, linear_fprop_cuda_2_tiled,
             linear_fprop_cuda_2_tiled_workspace, linear_fprop_cuda_3_mma, linear_fprop_cuda_3_mma_workspace,
             linear_fprop_cuda_tensor, linear_fprop_cuda_tensor_workspace>("linear_fprop"),
      ladder<LinearDgrad, linear_dgrad_cuda_1_naive, linear_dgrad_cuda_2_tiled,
             linear_dgrad_cuda_2_tiled_workspace, linear_dgrad_cuda_3_mma, linear_dgrad_cuda_3_mma_workspace,
             linear_dgrad_cuda_tensor, linear_dgrad_cuda_tensor_workspace>("linear_dgrad"),
      ladder<LinearWgrad, linear_wgrad_cuda_1_naive, linear_wgrad_cuda_2_tiled,
             linear_wgrad_cuda_2_tiled_workspace, linear_wgrad_cuda_3_mma, linear_wgrad_cuda_3_mma_workspace,
             linear_wgrad_cuda_tensor, linear_wgrad_cuda_tensor_workspace>("linear_wgrad"),
  };
}

}  // namespace umbra
