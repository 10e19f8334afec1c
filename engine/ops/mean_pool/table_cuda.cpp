// The CUDA rungs of mean_pool.
#include "engine/ops/mean_pool/table_cuda.h"

#include "engine/cuda/channel_cut.h"
#include "engine/ops/mean_pool/op.h"

namespace umbra {

// In the files of these names.
void mean_pool_forward_cuda_1_naive(const MeanPoolForward&, Buffers, void*, Stream&);
void mean_pool_forward_cuda_2_columns(const MeanPoolForward&, Buffers, void*, Stream&);
void mean_pool_backward_cuda_1_naive(const MeanPoolBackward&, Buffers, void*, Stream&);
void mean_pool_backward_cuda_2_columns(const MeanPoolBackward&, Buffers, void*, Stream&);

namespace {

template <class O>
std::string columns_declines(const O& op) {
  return ChannelCut::declines(op.volume, 1);
}

}  // namespace

std::vector<OpFamily> mean_pool_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"mean_pool_forward",
       {make_kernel<MeanPoolForward, mean_pool_forward_cuda_1_naive>("mean_pool_forward", "cuda_1_naive",
                                                                     DType::kF32, kCuda),
        make_kernel<MeanPoolForward, mean_pool_forward_cuda_2_columns, columns_declines<MeanPoolForward>>(
            "mean_pool_forward", "cuda_2_columns", DType::kF32, kCuda)},
       nullptr},
      {"mean_pool_backward",
       {make_kernel<MeanPoolBackward, mean_pool_backward_cuda_1_naive>("mean_pool_backward", "cuda_1_naive",
                                                                       DType::kF32, kCuda),
        make_kernel<MeanPoolBackward, mean_pool_backward_cuda_2_columns, columns_declines<MeanPoolBackward>>(
            "mean_pool_backward", "cuda_2_columns", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
