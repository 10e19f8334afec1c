// The CUDA rungs of conv_inference, gathered by table_cuda.cpp.
#pragma once

#include "engine/ops/conv_inference/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

void conv_inference_cuda_1_naive(const ConvInference&, Buffers, void*, Stream&);
void conv_inference_cuda_2_tiled(const ConvInference&, Buffers, void*, Stream&);
std::size_t conv_inference_cuda_2_tiled_workspace(const ConvInference&);

}  // namespace umbra
