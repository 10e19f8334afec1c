#include "engine/ops/gradient_norm/table.h"

#include "engine/ops/gradient_norm/reference.h"
#include "engine/ops/gradient_norm/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void gradient_norm_simd(const GradientNorm&, Buffers, void*, Stream&);
std::size_t gradient_norm_workspace(const GradientNorm&);
void clip_simd(const Clip&, Buffers, void*, Stream&);

std::vector<OpFamily> gradient_norm_families() {
  return {
      {"gradient_norm",
       {make_kernel<GradientNorm, gradient_norm_reference<float>>("gradient_norm", "reference", DType::kF32),
        make_kernel<GradientNorm, gradient_norm_reference<double>>("gradient_norm", "reference", DType::kF64),
        make_kernel<GradientNorm, gradient_norm_simd, nullptr, gradient_norm_workspace>(
            "gradient_norm", "cpu_1_simd", DType::kF32)},
       gradient_norm_problems},
      {"clip",
       {make_kernel<Clip, clip_reference<float>>("clip", "reference", DType::kF32),
        make_kernel<Clip, clip_reference<double>>("clip", "reference", DType::kF64),
        make_kernel<Clip, clip_simd>("clip", "cpu_1_simd", DType::kF32)},
       clip_problems},
  };
}

}  // namespace umbra
