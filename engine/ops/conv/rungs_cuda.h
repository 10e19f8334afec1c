// The CUDA rungs of the convolution, gathered by table_cuda.cpp.
#pragma once

#include <string>

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

}  // namespace umbra
