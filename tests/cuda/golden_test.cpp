// The whole network, and every op of layers.safetensors, with CUDA kernels against PyTorch.
#include "tests/cuda/where.h"
#include "tests/fixtures/comparison_golden_check.h"
#include "tests/fixtures/layer_goldens.h"
#include "tests/fixtures/um_resnet_golden_check.h"

namespace umbra {
namespace {

TEST(CudaGolden, FullTensorsAtFourChannels) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  golden::expect_full_tensors_at_four_channels({Device::Kind::kCuda, 0});
}

TEST(CudaGolden, SummariesAndSamplesAtTwentyChannels) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  golden::expect_summaries_at_twenty_channels({Device::Kind::kCuda, 0});
}

class CudaComparisonGolden : public testing::TestWithParam<golden::ComparisonNetwork> {};

TEST_P(CudaComparisonGolden, EqualsPyTorch) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  golden::expect_comparison_network(GetParam(), {Device::Kind::kCuda, 0});
}

INSTANTIATE_TEST_SUITE_P(Models, CudaComparisonGolden, testing::ValuesIn(golden::kComparisonNetworks),
                         [](const auto& test) { return std::string(test.param.name); });

class CudaLayersGolden : public testing::TestWithParam<golden::LayerCheck> {};

TEST_P(CudaLayersGolden, EqualPyTorch) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  golden::OpGoldens goldens("layers.safetensors", {Device::Kind::kCuda, 0});
  GetParam().run(goldens);
}

INSTANTIATE_TEST_SUITE_P(Op, CudaLayersGolden, testing::ValuesIn(golden::kLayerChecks),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace umbra
