// The gauntlet: the checks that every rung (kernel variant) of every op must pass.
//
// A kernel runs between guard zones, on outputs and a workspace full of NaN, and must: leave guards and
// inputs alone, come within tolerance of the double-precision reference (a comparison that fails unless it
// holds, so that NaN never passes), match it exactly on small integers where the op is exact there, and give
// the same bits when it runs again on buffers with the alignment of a single element and with other garbage
// in its workspace, and on 1, 2 and 3 threads. A failure is one line that includes the command to repeat it.
#pragma once

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "engine/ops/kernel.h"
#include "tests/gauntlet/rules.h"
#include "tests/gauntlet/run_kernel.h"

namespace umbra::gauntlet {

struct Options {
  std::string only;                                             // text of the only problem; empty: all
  double most_flops = std::numeric_limits<double>::infinity();  // larger problems are left out
  std::function<bool(const Op&)> leaves_out;                    // problems that are left out besides
  bool one_pattern_each = false;       // every problem sees one pattern, in turn, instead of all
  SetSchedule set_schedule = nullptr;  // orders of a GPU's blocks and threads
  std::size_t most_failures = 5;       // no problem is begun after so many
};

struct Report {
  std::vector<std::string> failures;  // one line each
  double worst = 0;                   // largest error / tolerance
  int problems = 0, declined = 0;
};

/// All problems of `ladder` with all patterns.
Report run_gauntlet(const Ladder& ladder, const Kernel& kernel, std::span<const OpRules> rules,
                    const Options& options = {});

}  // namespace umbra::gauntlet
