// The CUDA rungs of the convolution.
#include "engine/ops/conv/table_cuda.h"

#include "engine/ops/conv/rungs_cuda.h"
#include "engine/ops/conv_axis.h"

namespace umbra {
namespace {

std::string declines(const ConvOp& op) {
  if (op.precision != Precision::kF32) return "it computes with precision fp32 only";
  return conv_map_declines(op.geometry);
}

template <class O, auto Naive, auto Tiled, auto TiledWorkspace>
OpFamily ladder(std::string_view op) {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {op,
          {make_kernel<O, Naive, declines>(op, "cuda_1_naive", DType::kF32, kCuda),
           make_kernel<O, Tiled, declines, TiledWorkspace>(op, "cuda_2_tiled", DType::kF32, kCuda)},
          nullptr};
}

}  // namespace

std::vector<OpFamily> conv_cuda_families() {
  return {
      ladder<ConvFprop, conv_fprop_cuda_1_naive, conv_fprop_cuda_2_tiled, conv_fprop_cuda_2_tiled_workspace>(
          "conv_fprop"),
      ladder<ConvDgrad, conv_dgrad_cuda_1_naive, conv_dgrad_cuda_2_tiled, conv_dgrad_cuda_2_tiled_workspace>(
          "conv_dgrad"),
      ladder<ConvWgrad, conv_wgrad_cuda_1_naive, conv_wgrad_cuda_2_tiled, conv_wgrad_cuda_2_tiled_workspace>(
          "conv_wgrad"),
  };
}

}  // namespace umbra
