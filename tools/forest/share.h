// Growing a forest in several processes: each grows a range of the trees.
#pragma once

#include "engine/dist/communicator.h"
#include "models/forest/forest.h"

namespace umbra {

/// The trees of the process `rank`.
ForestShare share_of(Communicator& world, int rank, std::int64_t trees);

/// Completes the forest with the trees of the other processes.
void collect_trees(Communicator& world, Forest& forest);

}  // namespace umbra
