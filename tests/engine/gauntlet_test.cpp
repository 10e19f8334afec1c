// Every rung of every op on the CPU runs the gauntlet, each as a test with its own name. Those of CUDA run it
// in tests/cuda/gauntlet_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "engine/ops/shared/problems.h"
#include "tests/engine/op_rules.h"
#include "tests/gauntlet/every_rung.h"

namespace umbra {
namespace {

const Registry& registry() {
  static const Registry instance = make_registry();
  return instance;
}

class Gauntlet : public testing::TestWithParam<gauntlet::Entry> {};

TEST_P(Gauntlet, Survives) {
  const gauntlet::Entry& entry = GetParam();
  if (const std::string why = gauntlet::why_it_cannot_run(entry, op_rules()); !why.empty())
    GTEST_SKIP() << why;
  gauntlet::expect_to_survive(entry, op_rules());
}

INSTANTIATE_TEST_SUITE_P(EveryRung, Gauntlet,
                         testing::ValuesIn(gauntlet::every_rung(registry(), Device::Kind::kCpu)),
                         gauntlet::name_of_test);

/// Problems that only the reference supports, those of an op whose texts end like this, with the reason.
struct Exception {
  std::string_view op, ending, reason;
};
constexpr std::array<Exception, 2> kOnlyReference{
    {{"pack_operand", "", "no kernel for the CPU reads packed operands"},
     {"conv_dgrad", " addend", "on the CPU the tape adds gradients"}}};

TEST(GauntletCoverage, EveryProblemIsTakenByAFastRung) {
  for (const Ladder& ladder : registry().ladders()) {
    ASSERT_NE(ladder.problems, nullptr) << ladder.op;
    const Problems problems = ladder.problems(DType::kF32);
    EXPECT_FALSE(problems.empty()) << ladder.op;
    for (const auto& op : problems) {
      const bool excused = std::any_of(kOnlyReference.begin(), kOnlyReference.end(), [&](const Exception& e) {
        return e.op == ladder.op && op->text().ends_with(e.ending);
      });
      const Kernel& chosen = registry().choose(*op, Device::Kind::kCpu);
      EXPECT_EQ(excused, gauntlet::is_reference(chosen)) << ladder.op << " " << op->text();
    }
  }
}

TEST(GauntletCoverage, EveryOpHasBothReferences) {
  for (const Ladder& ladder : registry().ladders()) {
    for (DType dtype : {DType::kF32, DType::kF64}) {
      const Problems problems = ladder.problems(dtype);
      const bool found = std::any_of(ladder.kernels.begin(), ladder.kernels.end(), [&](const Kernel& kernel) {
        return gauntlet::is_reference(kernel) && kernel.dtype == dtype &&
               kernel.declines(*problems.front()).empty();
      });
      EXPECT_TRUE(found) << ladder.op << " " << name_of(dtype);
    }
  }
}

TEST(GauntletCoverage, EveryRuleIsOfAnOpAndStandsOnce) {
  std::set<std::string_view> ops, with_rules;
  for (const Ladder& ladder : registry().ladders()) ops.insert(ladder.op);
  for (const gauntlet::OpRules& rules : op_rules()) {
    EXPECT_TRUE(ops.contains(rules.op)) << rules.op;
    EXPECT_TRUE(with_rules.insert(rules.op).second) << rules.op;
  }
}

}  // namespace
}  // namespace umbra
