// The CUDA rungs of conv_inference, gathered by table_cuda.cpp.
#pragma once

#include "engine/cuda/tensor_rung.h"
#include "engine/ops/conv_inference/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

void conv_inference_cuda_1_naive(const ConvInference&, Buffers, void*, Stream&);
void conv_inference_cuda_2_tiled(const ConvInference&, Buffers, void*, Stream&);
std::size_t conv_inference_cuda_2_tiled_workspace(const ConvInference&);

void conv_inference_cuda_3_mma(const ConvInference&, Buffers, void*, Stream&);
std::size_t conv_inference_cuda_3_mma_workspace(const ConvInference&);

// cuda_4_wgmma to cuda_7_cluster.
void conv_inference_cuda_tensor(const ConvInference&, TensorRung, Buffers, void*, Stream&);
std::size_t conv_inference_cuda_tensor_workspace(const ConvInference&, TensorRung);

}  // namespace umbra
