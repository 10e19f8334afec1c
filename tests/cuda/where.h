// Where the tests of this folder run: on a GPU (on_gpu.cpp) or through the emulator (on_emulator.cpp).
#pragma once

#include <string>
#include <string_view>

#include "engine/registry/registry.h"

namespace umbra::cuda_test {

/// Why these tests cannot run here, in a sentence; empty when they can.
std::string cannot_run();
/// Larger problems are left to a GPU: the emulator runs some ten million operations a second.
double most_flops();
/// Whether these are programs of nvcc's, for a GPU.
bool compiled_for_gpu();
/// One of three orders in which threads and blocks take their turn; a GPU takes its own.
void set_schedule(int which);

/// Adds the libraries umbra is measured against, which run on a GPU only.
void add_peers(Registry& registry);

}  // namespace umbra::cuda_test
