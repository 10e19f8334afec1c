// The CUDA rungs of relu.
#include "engine/ops/relu/table_cuda.h"

#include "engine/ops/relu/op.h"

namespace umbra {

// In the files of these names.
void relu_forward_cuda_1_naive(const ReluForward&, Buffers, void*, Stream&);
void relu_forward_cuda_2_vectors(const ReluForward&, Buffers, void*, Stream&);
void relu_backward_cuda_1_naive(const ReluBackward&, Buffers, void*, Stream&);
void relu_backward_cuda_2_vectors(const ReluBackward&, Buffers, void*, Stream&);

std::vector<OpFamily> relu_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"relu_forward",
       {make_kernel<ReluForward, relu_forward_cuda_1_naive>("relu_forward", "cuda_1_naive", DType::kF32,
                                                            kCuda),
        make_kernel<ReluForward, relu_forward_cuda_2_vectors>("relu_forward", "cuda_2_vectors", DType::kF32,
                                                              kCuda)},
       nullptr},
      {"relu_backward",
       {make_kernel<ReluBackward, relu_backward_cuda_1_naive>("relu_backward", "cuda_1_naive", DType::kF32,
                                                              kCuda),
        make_kernel<ReluBackward, relu_backward_cuda_2_vectors>("relu_backward", "cuda_2_vectors",
                                                                DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
