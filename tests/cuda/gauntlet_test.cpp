// Every CUDA rung of every op runs the gauntlet, on a GPU or through the emulator, each as a test with its
// own name.
#include <gtest/gtest.h>

#include "engine/ops/shared/problems.h"
#include "tests/cuda/where.h"
#include "tests/engine/op_rules.h"
#include "tests/gauntlet/every_rung.h"

namespace umbra {
namespace {

using gauntlet::Entry, gauntlet::OpRules;

const Registry& registry() {
  static const Registry instance = [] {
    Registry all = make_registry();
    cuda_test::add_peers(all);
    return all;
  }();
  return instance;
}

/// Problems small enough for the emulator, each with one of the patterns in turn; a GPU runs all.
gauntlet::Options options_for(const Kernel& kernel) {
  const OpRules rules = gauntlet::find_rules(op_rules(), kernel.op);
  gauntlet::Options options;
  options.most_flops = cuda_test::most_flops();
  options.set_schedule = cuda_test::set_schedule;
  if (cuda_test::compiled_for_gpu()) return options;
  options.one_pattern_each = true;
  constexpr std::int64_t kMostTiles = 500;
  constexpr int kFirstOnTensorCores = 3;
  if (rules.emulated_tiles != nullptr && gauntlet::rung_number(kernel) >= kFirstOnTensorCores)
    options.leaves_out = [count = rules.emulated_tiles](const Op& op) { return count(op) > kMostTiles; };
  return options;
}

class CudaGauntlet : public testing::TestWithParam<Entry> {};

TEST_P(CudaGauntlet, Survives) {
  if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  const Entry& entry = GetParam();
  if (const std::string why = gauntlet::why_it_cannot_run(entry, op_rules()); !why.empty())
    GTEST_SKIP() << why;
  gauntlet::expect_to_survive(entry, op_rules(), options_for(*entry.kernel));
}

INSTANTIATE_TEST_SUITE_P(EveryRung, CudaGauntlet,
                         testing::ValuesIn(gauntlet::every_rung(registry(), Device::Kind::kCuda)),
                         gauntlet::name_of_test);

}  // namespace
}  // namespace umbra
