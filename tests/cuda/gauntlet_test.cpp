// Every CUDA rung of every op runs the gauntlet, on a GPU or through the emulator; each is a test of its own
// name.
#include "tests/engine/gauntlet.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "engine/ops/conv/op.h"
#include "engine/ops/conv_inference/op.h"
#include "engine/registry/registry.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

const Registry& registry() {
  static const Registry instance = [] {
    Registry all = make_registry();
    cuda_test::add_peers(all);
    return all;
  }();
  return instance;
}

struct Entry {
  const OpFamily* family;
  const Kernel* kernel;
};
void PrintTo(const Entry& entry, std::ostream* out) {
  *out << gauntlet::test_name(*entry.kernel);
}

std::vector<Entry> every_rung() {
  std::vector<Entry> entries;
  for (const OpFamily& family : registry().families()) {
    for (const Kernel& kernel : family.kernels) {
      if (kernel.device == Device::Kind::kCuda) entries.push_back({&family, &kernel});
    }
  }
  return entries;
}

// Tiles of tensor cores that an emulated convolution multiplies, most of them with zeros where channels are
// few: what its time goes with, some milliseconds each.
bool is_long(const Op& op) {
  const auto* const conv = dynamic_cast<const ConvOp*>(&op);
  const auto* const fused = dynamic_cast<const ConvInference*>(&op);
  if (conv == nullptr && fused == nullptr) return false;
  const ConvGeometry& g = conv != nullptr ? conv->geometry : fused->geometry;
  const auto up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const std::int64_t slices = up(g.live_pairs(), 2) * up(g.batch, 32) *
                              std::max(up(g.in_channels, 64) * up(g.out_channels, 128),
                                       up(g.out_channels, 64) * up(g.in_channels, 128));
  return slices > (conv != nullptr ? 500 : 100);
}

class CudaGauntlet : public testing::TestWithParam<Entry> {};

TEST_P(CudaGauntlet, Survives) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  const auto [family, kernel] = GetParam();
  if (kernel->missing != nullptr && !kernel->missing().empty()) GTEST_SKIP() << kernel->missing();
  gauntlet::set_schedule = cuda_test::set_schedule;
  gauntlet::most_flops = cuda_test::most_flops();
  const bool emulated_tensor_cores = !cuda_test::compiled_for_gpu() && kernel->rung >= "cuda_4";
  gauntlet::one_pattern_each = emulated_tensor_cores;
  gauntlet::leaves_out = emulated_tensor_cores ? is_long : nullptr;
  const char* only = std::getenv("UMBRA_GAUNTLET_PROBLEM");
  const gauntlet::Report report = gauntlet::run_gauntlet(*family, *kernel, only == nullptr ? "" : only);
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
  EXPECT_GT(report.problems, report.declined) << "a rung that declines every problem is never tested";
  std::cout << gauntlet::test_name(*kernel) << ": " << report.problems - report.declined << " of "
            << report.problems << " problems, largest error / tolerance " << report.worst << '\n';
}

INSTANTIATE_TEST_SUITE_P(EveryRung, CudaGauntlet, testing::ValuesIn(every_rung()),
                         [](const auto& entry) { return gauntlet::test_name(*entry.param.kernel); });

}  // namespace
}  // namespace umbra
