// Training as the command line describes it: one run, or an ensemble of runs that differ only in their seed.
#pragma once

#include "engine/dist/communicator.h"
#include "tools/train/arguments.h"

namespace umbra {

/// Trains the run in --out or, with train.seeds > 1, the members of the ensemble there one after the other. Members that
/// are finished are not trained again. The processes of `world` train together; the first one prints and writes. Throws
/// Error, and Stopped after a signal.
void train(const TrainArguments& arguments, Communicator& world);

}  // namespace umbra
