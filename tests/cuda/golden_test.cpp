// The whole network with CUDA kernels against PyTorch.
#include "tests/cuda/where.h"
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

}  // namespace
}  // namespace umbra
