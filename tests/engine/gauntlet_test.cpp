// Every rung of every op on the CPU runs the gauntlet; each is a test of its own name. Those of CUDA run it
// in tests/cuda/gauntlet_test.cpp.
#include "tests/engine/gauntlet.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "engine/cpu/bf16_tile.h"
#include "engine/registry/registry.h"

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

/// The name under which GoogleTest and ctest list it.
void PrintTo(const Entry& entry, std::ostream* out) {
  *out << gauntlet::test_name(*entry.kernel);
}

std::vector<Entry> every_rung() {
  std::vector<Entry> entries;
  for (const OpFamily& family : registry().families()) {
    for (const Kernel& kernel : family.kernels) {
      if (kernel.device == Device::Kind::kCpu) entries.push_back({&family, &kernel});
    }
  }
  return entries;
}

class Gauntlet : public testing::TestWithParam<Entry> {};

TEST_P(Gauntlet, Survives) {
  const auto [family, kernel] = GetParam();
  if ((kernel->rung == "cpu_4_bf16" || kernel->rung == "cpu_3_bf16") && !bf16_tile_supported()) {
    GTEST_SKIP() << "this CPU has no bfloat16 dot product";
  }
  const char* only = std::getenv("UMBRA_GAUNTLET_PROBLEM");
  const gauntlet::Report report = gauntlet::run_gauntlet(*family, *kernel, only == nullptr ? "" : only);
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
  EXPECT_GT(report.problems, report.declined) << "a rung that declines every problem is never tested";
  std::cout << gauntlet::test_name(*kernel) << ": " << report.problems - report.declined << " of "
            << report.problems << " problems, largest error / tolerance " << report.worst << '\n';
}

INSTANTIATE_TEST_SUITE_P(EveryRung, Gauntlet, testing::ValuesIn(every_rung()),
                         [](const auto& entry) { return gauntlet::test_name(*entry.param.kernel); });

/// Problems that only the reference takes, with the reason. There are none.
struct Exception {
  std::string_view op, text, reason;
};
constexpr std::array<Exception, 0> kOnlyReference{};

TEST(GauntletCoverage, EveryProblemIsTakenByAFastRung) {
  for (const OpFamily& family : registry().families()) {
    ASSERT_NE(family.problems, nullptr) << family.op;
    const Problems problems = family.problems(DType::kF32);
    EXPECT_FALSE(problems.empty()) << family.op;
    for (const auto& op : problems) {
      const bool excused = std::any_of(kOnlyReference.begin(), kOnlyReference.end(), [&](const Exception& e) {
        return e.op == family.op && e.text == op->text();
      });
      const Kernel& chosen = registry().choose(*op, Device::Kind::kCpu);
      EXPECT_TRUE(excused || chosen.rung != "reference") << family.op << " " << op->text();
    }
  }
}

TEST(GauntletCoverage, EveryOpHasBothReferences) {
  for (const OpFamily& family : registry().families()) {
    for (DType dtype : {DType::kF32, DType::kF64}) {
      const Problems problems = family.problems(dtype);
      const bool found = std::any_of(family.kernels.begin(), family.kernels.end(), [&](const Kernel& kernel) {
        return kernel.rung == "reference" && kernel.dtype == dtype &&
               kernel.declines(*problems.front()).empty();
      });
      EXPECT_TRUE(found) << family.op << " " << name_of(dtype);
    }
  }
}

}  // namespace
}  // namespace umbra
