// Labels that are not classes, on the rungs for CUDA.
#include "tests/fixtures/wrong_labels.h"

#include "tests/cuda/where.h"

namespace umbra {
namespace {

TEST(SoftmaxCrossEntropyOnCuda, SurvivesWrongLabels) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  testing_losses::expect_every_rung_to_survive_wrong_labels(make_registry(), Device::Kind::kCuda);
}

}  // namespace
}  // namespace umbra
