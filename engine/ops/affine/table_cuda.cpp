// The CUDA rungs of affine.
#include "engine/ops/affine/table_cuda.h"

#include "engine/cuda/channel_cut.h"
#include "engine/ops/affine/op.h"

namespace umbra {

// In the files of these names.
void affine_forward_cuda_1_naive(const AffineForward&, Buffers, void*, Stream&);
void affine_forward_cuda_2_columns(const AffineForward&, Buffers, void*, Stream&);
void affine_backward_cuda_1_naive(const AffineBackward&, Buffers, void*, Stream&);
void affine_backward_cuda_2_columns(const AffineBackward&, Buffers, void*, Stream&);

namespace {

template <class O>
std::string columns_declines(const O& op) {
  return ChannelCut::declines(op.rows, 1);
}

}  // namespace

std::vector<OpFamily> affine_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"affine_forward",
       {make_kernel<AffineForward, affine_forward_cuda_1_naive>("affine_forward", "cuda_1_naive", DType::kF32,
                                                                kCuda),
        make_kernel<AffineForward, affine_forward_cuda_2_columns, columns_declines<AffineForward>>(
            "affine_forward", "cuda_2_columns", DType::kF32, kCuda)},
       nullptr},
      {"affine_backward",
       {make_kernel<AffineBackward, affine_backward_cuda_1_naive>("affine_backward", "cuda_1_naive",
                                                                  DType::kF32, kCuda),
        make_kernel<AffineBackward, affine_backward_cuda_2_columns, columns_declines<AffineBackward>>(
            "affine_backward", "cuda_2_columns", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
