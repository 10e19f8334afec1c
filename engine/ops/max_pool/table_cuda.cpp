// The CUDA rungs of max_pool.
#include "engine/ops/max_pool/table_cuda.h"

#include "engine/ops/max_pool/op.h"

namespace umbra {

// In the files of these names.
void max_pool_forward_cuda_1_naive(const MaxPoolForward&, Buffers, void*, Stream&);
void max_pool_forward_cuda_2_vectors(const MaxPoolForward&, Buffers, void*, Stream&);
std::string max_pool_forward_cuda_2_declines(const MaxPoolForward&);
void max_pool_backward_cuda_1_naive(const MaxPoolBackward&, Buffers, void*, Stream&);
void max_pool_backward_cuda_2_vectors(const MaxPoolBackward&, Buffers, void*, Stream&);
std::string max_pool_backward_cuda_2_declines(const MaxPoolBackward&);

std::vector<OpFamily> max_pool_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"max_pool_forward",
       {make_kernel<MaxPoolForward, max_pool_forward_cuda_1_naive>("max_pool_forward", "cuda_1_naive",
                                                                   DType::kF32, kCuda),
        make_kernel<MaxPoolForward, max_pool_forward_cuda_2_vectors, max_pool_forward_cuda_2_declines>(
            "max_pool_forward", "cuda_2_vectors", DType::kF32, kCuda)},
       nullptr},
      {"max_pool_backward",
       {make_kernel<MaxPoolBackward, max_pool_backward_cuda_1_naive>("max_pool_backward", "cuda_1_naive",
                                                                     DType::kF32, kCuda),
        make_kernel<MaxPoolBackward, max_pool_backward_cuda_2_vectors, max_pool_backward_cuda_2_declines>(
            "max_pool_backward", "cuda_2_vectors", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
