// Peers: libraries umbra is measured against, as further rungs of its registry. Only benchmarks link them.
#pragma once

#include "engine/registry/registry.h"

namespace umbra {

/// Adds a rung named after each peer library of this build.
void register_peers(Registry& registry);

}  // namespace umbra
