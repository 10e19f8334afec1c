// The fast rungs of the fully connected layer on the CPU, gathered by table.cpp.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/linear/op.h"

namespace umbra {

Kernel linear_fprop_cpu_1_gemm();
Kernel linear_dgrad_cpu_1_gemm();
Kernel linear_wgrad_cpu_1_gemm();
Kernel linear_fprop_cpu_2_rounded();
Kernel linear_dgrad_cpu_2_rounded();
Kernel linear_wgrad_cpu_2_rounded();

/// db [out] = sum over the rows of dy [rows, out], in their order.
void linear_bias_slope(const LinearWgrad& op, const float* dy, float* db);

}  // namespace umbra
