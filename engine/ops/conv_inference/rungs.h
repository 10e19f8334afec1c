// The fast rungs of conv_inference, gathered by table.cpp.
#pragma once

#include "engine/ops/conv_inference/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

Kernel conv_inference_cpu_1_tiles();
Kernel conv_inference_cpu_2_bf16_wide();
Kernel conv_inference_cpu_3_bf16();
Kernel conv_inference_cpu_4_tf32();

}  // namespace umbra
