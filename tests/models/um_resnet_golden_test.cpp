// The whole network on the CPU against PyTorch (tests/golden/README.md), in f32 with the rungs that ship and
// at C = 4 in f64 with the references.
#include "tests/fixtures/um_resnet_golden_check.h"

namespace umbra {
namespace {

TEST(UmResNetGolden, FullTensorsAtFourChannels) {
  golden::expect_full_tensors_at_four_channels({});
}

TEST(UmResNetGolden, SummariesAndSamplesAtTwentyChannels) {
  golden::expect_summaries_at_twenty_channels({});
}

TEST(UmResNetGolden, ReferencesInDoubleEqualPyTorchInDouble) {
  const SafeTensors file = golden::read("um_resnet_c4.safetensors");
  const golden::Found found = golden::run_network(4, 4, DType::kF64, {});
  for (const auto& [key, full] : found) {
    if (golden::excluded(key) || key.starts_with("adam3")) continue;
    const std::vector<double> f64 = golden::numbers(file, "f64/" + key);
    const std::vector<double> got = f64.size() == full.size() ? full : golden::every_13th(full);
    double largest = 1e-300;
    for (double v : f64) largest = std::max(largest, std::abs(v));
    // PyTorch stores the running statistics' momentum and epsilon in double, as we do; 1e-10 allows for
    // another order of sums.
    const double tolerance = key.starts_with("adam") ? 1e-6
                             : key == "loss"         ? 1e-5 * largest
                                                     : 1e-10 * largest;
    for (std::size_t i = 0; i < f64.size(); ++i) {
      ASSERT_TRUE(std::abs(got[i] - f64[i]) <= tolerance)
          << key << "[" << i << "] is " << got[i] << ", expected " << f64[i];
    }
  }
}

}  // namespace
}  // namespace umbra
