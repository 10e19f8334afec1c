// The fast rungs of the convolution on the CPU, one file each, gathered by table.cpp.
#pragma once

#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

Kernel conv_fprop_cpu_1_taps();
Kernel conv_dgrad_cpu_1_taps();
Kernel conv_wgrad_cpu_1_taps();
Kernel conv_wgrad_cpu_2_patches();

}  // namespace umbra
