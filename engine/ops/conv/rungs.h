// The fast rungs of the convolution on the CPU, gathered by table.cpp.
#pragma once

#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

Kernel conv_fprop_cpu_1_lanes();
Kernel conv_dgrad_cpu_1_lanes();
Kernel conv_wgrad_cpu_1_lanes();
Kernel conv_fprop_cpu_2_tiles();
Kernel conv_dgrad_cpu_2_tiles();
Kernel conv_wgrad_cpu_2_tiles();
Kernel conv_wgrad_cpu_3_few_inputs();
Kernel conv_fprop_cpu_3_rounded();
Kernel conv_dgrad_cpu_3_rounded();
Kernel conv_wgrad_cpu_3_rounded();
Kernel conv_fprop_cpu_4_bf16();
Kernel conv_dgrad_cpu_4_bf16();
Kernel conv_wgrad_cpu_4_bf16();

/// Why a rung that keeps positions in 32 bits and computes with precision fp32 only, or bf16 only, cannot
/// take this op.
std::string declines_as_fp32(const ConvOp& op);
std::string declines_as_bf16(const ConvOp& op);

}  // namespace umbra
