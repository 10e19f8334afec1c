// Where the tests of this folder run: on a GPU (on_gpu.cpp) or through the emulator (on_emulator.cpp).
#pragma once

#include <string>
#include <string_view>

#include "engine/registry/registry.h"

namespace umbra::cuda_test {

/// The reason why these tests cannot run here; empty when they can.
std::string cannot_run();
/// Larger problems are left to a GPU: the emulator runs some ten million operations a second.
double most_flops();
/// Whether the kernels were compiled by nvcc, for a GPU.
bool compiled_for_gpu();
/// Selects one of three orders of threads and blocks; has no effect on a GPU.
void set_schedule(int which);

/// Adds the libraries umbra is measured against, which run on a GPU only.
void add_peers(Registry& registry);

}  // namespace umbra::cuda_test
