// The CUDA rungs of gradient_norm and clip.
#include "engine/ops/gradient_norm/table_cuda.h"

#include "engine/ops/gradient_norm/op.h"

namespace umbra {

// In the files of these names.
void gradient_norm_cuda_1_naive(const GradientNorm&, Buffers, void*, Stream&);
std::size_t gradient_norm_cuda_1_workspace(const GradientNorm&);
void gradient_norm_cuda_2_multi(const GradientNorm&, Buffers, void*, Stream&);
std::size_t gradient_norm_cuda_2_workspace(const GradientNorm&);
void clip_cuda_1_naive(const Clip&, Buffers, void*, Stream&);
void clip_cuda_2_multi(const Clip&, Buffers, void*, Stream&);

std::vector<OpFamily> gradient_norm_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"gradient_norm",
       {make_kernel<GradientNorm, gradient_norm_cuda_1_naive, nullptr, gradient_norm_cuda_1_workspace>(
            "gradient_norm", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<GradientNorm, gradient_norm_cuda_2_multi, nullptr, gradient_norm_cuda_2_workspace>(
            "gradient_norm", "cuda_2_multi", DType::kF32, kCuda)},
       nullptr},
      {"clip",
       {make_kernel<Clip, clip_cuda_1_naive>("clip", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<Clip, clip_cuda_2_multi>("clip", "cuda_2_multi", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
