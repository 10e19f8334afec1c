#include "engine/ops/conv/cuda_tensor_products.h"
#include "tests/cuda/kernels/planned.h"

namespace umbra::cuda_test {
namespace {

TensorProduct product_of(const PlannedCase& planned, const void* one, const void* two, void* result) {
  const auto& [geometry, pass, precision, shape, size, at_once, parts] = planned;
  if (pass == Pass::kFprop) return conv_fprop_product(geometry, precision, DType::kF32, one, two, result);
  if (pass == Pass::kDgrad) return conv_dgrad_product(geometry, precision, DType::kF32, one, two, result);
  return conv_wgrad_product(geometry, precision, one, two, result);
}

}  // namespace

std::size_t workspace_of(const PlannedCase& planned) {
  const TensorProduct product = product_of(planned, nullptr, nullptr, nullptr);
  return tensor_workspace(product, TensorRung::kCluster) +
         static_cast<std::size_t>(planned.parts * product.outputs) * sizeof(float);
}

int run(const PlannedCase& planned, const void* one, const void* two, float* result, void* workspace) {
  const TensorProduct product = product_of(planned, one, two, result);
  const int size = planned.size == 0 ? 1 : planned.size;
  std::optional<TensorPlan> plan =
      plan_clusters(product, static_cast<TensorShape>(planned.shape), size, planned.at_once);
  if (!plan) return 0;
  if (planned.size == 0) {
    plan->blocks.count = 0;
    plan->parts = planned.parts;
  }
  run_tensor_product(product, planned.size == 0 ? TensorRung::kSpecialised : TensorRung::kCluster, *plan,
                     workspace, nullptr);
  int most = 0;
  for (int column = 0; column < plan->columns(); ++column) {
    int tiles = 0;
    for (int row = 0; row < plan->parts; ++row)
      tiles += plan->blocks.at(column, row, plan->parts).part == 0 ? 1 : 0;
    most = most < tiles ? tiles : most;
  }
  return most;
}

}  // namespace umbra::cuda_test
