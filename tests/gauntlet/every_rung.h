// Every rung of a registry as a parameter of a GoogleTest suite: each becomes a test with its own name.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <ostream>
#include <vector>

#include "engine/registry/registry.h"
#include "tests/gauntlet/gauntlet.h"
#include "tests/gauntlet/rungs.h"

namespace umbra::gauntlet {

struct Entry {
  const Ladder* ladder;
  const Kernel* kernel;
};

/// The name under which GoogleTest and ctest list it.
inline void PrintTo(const Entry& entry, std::ostream* out) {
  *out << test_name(*entry.kernel);
}
inline std::string name_of_test(const testing::TestParamInfo<Entry>& info) {
  return test_name(*info.param.kernel);
}

inline std::vector<Entry> every_rung(const Registry& registry, Device::Kind device) {
  std::vector<Entry> entries;
  for (const Ladder& ladder : registry.ladders()) {
    for (const Kernel& kernel : ladder.kernels) {
      if (kernel.device == device) entries.push_back({&ladder, &kernel});
    }
  }
  return entries;
}

/// The reason why the rung cannot run on this machine; "" when it can.
inline std::string why_it_cannot_run(const Entry& entry, std::span<const OpRules> rules) {
  const Kernel& kernel = *entry.kernel;
  if (kernel.missing != nullptr && !kernel.missing().empty()) return kernel.missing();
  const OpRules own = find_rules(rules, kernel.op);
  return own.cannot_run == nullptr ? "" : own.cannot_run(kernel);
}

/// The body of the test. If the environment variable UMBRA_GAUNTLET_PROBLEM holds the text of a problem, only
/// that one runs.
inline void expect_to_survive(const Entry& entry, std::span<const OpRules> rules, Options options = {}) {
  const auto [ladder, kernel] = entry;
  if (const char* only = std::getenv("UMBRA_GAUNTLET_PROBLEM"); only != nullptr) options.only = only;
  const Report report = run_gauntlet(*ladder, *kernel, rules, options);
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
  EXPECT_GT(report.problems, report.declined) << "a rung that declines every problem is never tested";
  std::cout << test_name(*kernel) << ": " << report.problems - report.declined << " of " << report.problems
            << " problems, largest error / tolerance " << report.worst << '\n';
}

}  // namespace umbra::gauntlet
