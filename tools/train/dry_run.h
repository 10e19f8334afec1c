// The work and memory of a training step, measured by running one on made-up samples.
#pragma once

#include <string>

#include "tools/common/experiment.h"
#include "tools/train/arguments.h"

namespace umbra {

/// A table: every layer with its shape, parameters (live and dead) and useful work, then totals and memory.
/// If train.batch is auto, the batch is the one that train chooses for the data, or the usual one without data.
/// The data may be missing if the task knows its shapes without them.
std::string dry_run(RunConfig config, const TrainArguments& arguments);

}  // namespace umbra
