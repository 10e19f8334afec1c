// The CUDA rungs of the fully connected layer, gathered by table_cuda.cpp.
#pragma once

#include "engine/cuda/tensor_rung.h"
#include "engine/ops/kernel.h"
#include "engine/ops/linear/op.h"

namespace umbra {

void linear_fprop_cuda_1_naive(const LinearFprop&, Buffers, void*, Stream&);
void linear_dgrad_cuda_1_naive(const LinearDgrad&, Buffers, void*, Stream&);
void linear_wgrad_cuda_1_naive(const LinearWgrad&, Buffers, void*, Stream&);

void linear_fprop_cuda_2_tiled(const LinearFprop&, Buffers, void*, Stream&);
void linear_dgrad_cuda_2_tiled(const LinearDgrad&, Buffers, void*, Stream&);
void linear_wgrad_cuda_2_tiled(const LinearWgrad&, Buffers, void*, Stream&);
std::size_t linear_fprop_cuda_2_tiled_workspace(const LinearFprop&);
std::size_t linear_dgrad_cuda_2_tiled_workspace(const LinearDgrad&);
std::size_t linear_wgrad_cuda_2_tiled_workspace(const LinearWgrad&);

void linear_fprop_cuda_3_mma(const LinearFprop&, Buffers, void*, Stream&);
void linear_dgrad_cuda_3_mma(const LinearDgrad&, Buffers, void*, Stream&);
void linear_wgrad_cuda_3_mma(const LinearWgrad&, Buffers, void*, Stream&);
std::size_t linear_fprop_cuda_3_mma_workspace(const LinearFprop&);
std::size_t linear_dgrad_cuda_3_mma_workspace(const LinearDgrad&);
std::size_t linear_wgrad_cuda_3_mma_workspace(const LinearWgrad&);

// cuda_4_wgmma to cuda_7_cluster.
void linear_fprop_cuda_tensor(const LinearFprop&, TensorRung, Buffers, void*, Stream&);
void linear_dgrad_cuda_tensor(const LinearDgrad&, TensorRung, Buffers, void*, Stream&);
void linear_wgrad_cuda_tensor(const LinearWgrad&, TensorRung, Buffers, void*, Stream&);
std::size_t linear_fprop_cuda_tensor_workspace(const LinearFprop&, TensorRung);
std::size_t linear_dgrad_cuda_tensor_workspace(const LinearDgrad&, TensorRung);
std::size_t linear_wgrad_cuda_tensor_workspace(const LinearWgrad&, TensorRung);

}  // namespace umbra
