// One run of a kernel on the gauntlet's memory, and of the reference on plain memory.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/ops/kernel.h"
#include "tests/gauntlet/bound.h"

namespace umbra::gauntlet {

/// A way of running a kernel; the result must be bit-identical in all of them.
struct Setting {
  int threads;   // of the CPU; on a GPU, which of the orders of blocks and threads (counted from 1)
  bool shifted;  // buffers start one element off an aligned address
  std::byte poison;

  std::string text() const;
};

/// Chooses the order in which a GPU's blocks and threads run, where that can be chosen.
using SetSchedule = void (*)(int which);

struct Outcome {
  std::vector<std::vector<std::byte>> outputs;  // one per buffer; empty for inputs
  std::string violation;                        // the forbidden write; empty when there was none
};

Outcome run_kernel(const Kernel& kernel, const Op& op, const Values& inputs, const Setting& setting,
                   SetSchedule set_schedule = nullptr);

/// The outputs of a run as numbers; empty lists for inputs.
Values decoded(const Op& op, const Outcome& outcome);

/// The outputs of the double-precision reference for `inputs`; empty lists for inputs.
Values reference_values(const Kernel& reference, const Op& op64, const Values& inputs);

}  // namespace umbra::gauntlet
