// Tests of the gauntlet itself: a mutant is a kernel with one deliberate mistake, and the gauntlet must
// reject each.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/ops/kernel.h"
#include "tests/engine/op_rules.h"
#include "tests/fixtures/op_calls.h"
#include "tests/gauntlet/gauntlet.h"

namespace umbra {

inline const Ladder& ladder_of(std::string_view op) {
  for (const Ladder& ladder : testing_ops::all_kernels().ladders()) {
    if (ladder.op == op) return ladder;
  }
  fail("no ladder ", op);
}

inline gauntlet::Report run_gauntlet(const Kernel& mutant) {
  gauntlet::Options options;
  options.most_failures = 1;
  return gauntlet::run_gauntlet(ladder_of(mutant.op), mutant, op_rules(), options);
}

/// The gauntlet must reject the mutant, for the expected reason.
inline void expect_caught(const Kernel& mutant, std::string_view reason) {
  const gauntlet::Report report = run_gauntlet(mutant);
  ASSERT_FALSE(report.failures.empty()) << "the gauntlet lets " << mutant.op << " " << mutant.rung << " pass";
  const std::string& line = report.failures.front();
  EXPECT_NE(line.find(reason), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  for (const char* part : {"fill=", "seed=", "repeat: ", "f32"})
    EXPECT_NE(line.find(part), std::string::npos) << line;
}

}  // namespace umbra
