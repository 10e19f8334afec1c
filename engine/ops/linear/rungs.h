// The fast rungs of the fully connected layer on the CPU, gathered by table.cpp.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/linear/op.h"

namespace umbra {

Kernel linear_fprop_cpu_1_gemm();
Kernel linear_dgrad_cpu_1_gemm();
Kernel linear_wgrad_cpu_1_gemm();

}  // namespace umbra
