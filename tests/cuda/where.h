// Where the tests of this folder run: on a GPU (on_gpu.cpp) or through the emulator (on_emulator.cpp).
#pragma once

#include <string>

namespace umbra::cuda_test {

/// Why these tests cannot run here, in a sentence; empty when they can.
std::string cannot_run();
/// Larger problems are left to a GPU: the emulator runs some ten million operations a second.
double most_flops();
/// Whether a whole network of 20 channels and more can be run.
bool is_fast();
/// Other orders in which threads and blocks may run; a GPU takes its own. Calls body once with each.
void set_schedule(int which);
inline constexpr int kSchedules = 3;

}  // namespace umbra::cuda_test
