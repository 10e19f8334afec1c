// Every process has an emulated GPU of its own, whose queues are deferred: what does not wait for the work that it needs
// reads NaN.
#include <cstdlib>

#include "engine/cuda/emulator/queues.h"
#include "engine/dist/launch.h"
#include "engine/runtime/backend.h"
#include "tests/parallel/where.h"

namespace umbra {

Device device_of_process() {
  static const Device device = [] {
    setenv("UMBRA_EMULATED_GPUS", "4", 1);
    emulator::defer_queues(true);
    return parse_device("cuda", launched().on_machine);
  }();
  return device;
}

}  // namespace umbra
