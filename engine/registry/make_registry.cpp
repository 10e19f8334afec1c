// The registry of exactly the rungs that ladder.def lists.
#include "engine/ops/ladder.h"
#include "engine/registry/registry.h"

namespace umbra {

Registry make_registry() {
  Registry registry;
  for (const Ladder& ladder : cpu_ladders()) registry.add(ladder);
  for (const Kernel& kernel : cuda_rungs()) registry.add(kernel);
  return registry;
}

}  // namespace umbra
