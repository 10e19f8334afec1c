// The CUDA rungs of the fully connected layer.
#include "engine/ops/linear/table_cuda.h"

#include "engine/ops/linear/rungs_cuda.h"

namespace umbra {
namespace {

template <class O>
std::string declines(const O& op) {
  constexpr double kMost = 2147483647.0 - 1024;  // and the index past a tile at the end is a number, too
  const double rows = static_cast<double>(op.rows), in = static_cast<double>(op.in) + 1;
  const double out = static_cast<double>(op.out);
  if (rows * in > kMost || rows * out > kMost || in * out > kMost) {
    return "a matrix has more than 2^31 - 1024 elements";
  }
  return {};
}

template <class O, auto Naive, auto Tiled, auto TiledWorkspace>
OpFamily ladder(std::string_view op) {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {op,
          {make_kernel<O, Naive, declines<O>>(op, "cuda_1_naive", DType::kF32, kCuda),
           make_kernel<O, Tiled, declines<O>, TiledWorkspace>(op, "cuda_2_tiled", DType::kF32, kCuda)},
          nullptr};
}

}  // namespace

std::vector<OpFamily> linear_cuda_families() {
  return {
      ladder<LinearFprop, linear_fprop_cuda_1_naive, linear_fprop_cuda_2_tiled,
             linear_fprop_cuda_2_tiled_workspace>("linear_fprop"),
      ladder<LinearDgrad, linear_dgrad_cuda_1_naive, linear_dgrad_cuda_2_tiled,
             linear_dgrad_cuda_2_tiled_workspace>("linear_dgrad"),
      ladder<LinearWgrad, linear_wgrad_cuda_1_naive, linear_wgrad_cuda_2_tiled,
             linear_wgrad_cuda_2_tiled_workspace>("linear_wgrad"),
  };
}

}  // namespace umbra
