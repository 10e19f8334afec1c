// Every CUDA rung of every op runs the gauntlet, on a GPU or through the emulator; each is a test of its own
// name.
#include "tests/engine/gauntlet.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "engine/registry/registry.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

const Registry& registry() {
  static const Registry instance = make_registry();
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

class CudaGauntlet : public testing::TestWithParam<Entry> {};

TEST_P(CudaGauntlet, Survives) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  const auto [family, kernel] = GetParam();
  gauntlet::set_schedule = cuda_test::set_schedule;
  gauntlet::most_flops = cuda_test::most_flops();
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
