// The CUDA rungs of the convolution, gathered by table_cuda.cpp.
#pragma once

#include <string>

#include "engine/cuda/tensor_rung.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

void conv_fprop_cuda_1_naive(const ConvFprop&, Buffers, void*, Stream&);
void conv_dgrad_cuda_1_naive(const ConvDgrad&, Buffers, void*, Stream&);
void conv_wgrad_cuda_1_naive(const ConvWgrad&, Buffers, void*, Stream&);

void conv_fprop_cuda_2_tiled(const ConvFprop&, Buffers, void*, Stream&);
void conv_dgrad_cuda_2_tiled(const ConvDgrad&, Buffers, void*, Stream&);
void conv_wgrad_cuda_2_tiled(const ConvWgrad&, Buffers, void*, Stream&);
std::size_t conv_fprop_cuda_2_tiled_workspace(const ConvFprop&);
std::size_t conv_dgrad_cuda_2_tiled_workspace(const ConvDgrad&);
std::size_t conv_wgrad_cuda_2_tiled_workspace(const ConvWgrad&);

void conv_fprop_cuda_3_mma(const ConvFprop&, Buffers, void*, Stream&);
void conv_dgrad_cuda_3_mma(const ConvDgrad&, Buffers, void*, Stream&);
void conv_wgrad_cuda_3_mma(const ConvWgrad&, Buffers, void*, Stream&);
std::size_t conv_fprop_cuda_3_mma_workspace(const ConvFprop&);
std::size_t conv_dgrad_cuda_3_mma_workspace(const ConvDgrad&);
std::size_t conv_wgrad_cuda_3_mma_workspace(const ConvWgrad&);

// cuda_4_wgmma to cuda_7_cluster.
void conv_fprop_cuda_tensor(const ConvFprop&, TensorRung, Buffers, void*, Stream&);
void conv_dgrad_cuda_tensor(const ConvDgrad&, TensorRung, Buffers, void*, Stream&);
void conv_wgrad_cuda_tensor(const ConvWgrad&, TensorRung, Buffers, void*, Stream&);
std::size_t conv_fprop_cuda_tensor_workspace(const ConvFprop&, TensorRung);
std::size_t conv_dgrad_cuda_tensor_workspace(const ConvDgrad&, TensorRung);
std::size_t conv_wgrad_cuda_tensor_workspace(const ConvWgrad&, TensorRung);

}  // namespace umbra
