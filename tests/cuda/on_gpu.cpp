// The tests of this folder on the GPU of this machine.
#include <cstdlib>
#include <limits>

#include "bench/peers/peers.h"
#include "engine/runtime/backend.h"
#include "tests/cuda/where.h"

namespace umbra::cuda_test {

std::string cannot_run() {
  return cuda_backend().device_count() > 0 ? "" : cuda_backend().why_none();
}
double most_flops() {
  const char* bound =
      std::getenv("UMBRA_MOST_FLOPS");  // under compute-sanitizer everything takes a hundred times as long
  return bound != nullptr ? std::atof(bound) : std::numeric_limits<double>::infinity();
}
bool compiled_for_gpu() {
  return true;
}
void set_schedule(int) {}
void add_peers(Registry& registry) {
  set_peer_search(PeerSearch::kStrict);
  register_peers(registry);
}

}  // namespace umbra::cuda_test
