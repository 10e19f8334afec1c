// The tests of this folder through the emulator.
#include "engine/cuda/emulator/emulator.h"
#include "tests/cuda/where.h"

namespace umbra::cuda_test {

std::string cannot_run() {
  return {};
}
double most_flops() {
  return 2e6;
}
bool compiled_for_gpu() {
  return false;
}
void set_schedule(int which) {
  constexpr emulator::Order kOrders[] = {emulator::Order::kForward, emulator::Order::kBackward,
                                         emulator::Order::kShuffled};
  emulator::set_order(kOrders[which % 3]);
}
void add_peers(Registry&) {}

}  // namespace umbra::cuda_test
