#include "engine/ops/affine/table.h"

#include "engine/ops/affine/reference.h"
#include "engine/ops/affine/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void affine_forward_simd(const AffineForward&, Buffers, void*, Stream&);
void affine_backward_simd(const AffineBackward&, Buffers, void*, Stream&);

std::vector<OpFamily> affine_families() {
  return {
      {"affine_forward",
       {make_kernel<AffineForward, affine_forward_reference<float>>("affine_forward", "reference",
                                                                    DType::kF32),
        make_kernel<AffineForward, affine_forward_reference<double>>("affine_forward", "reference",
                                                                     DType::kF64),
        make_kernel<AffineForward, affine_forward_simd>("affine_forward", "cpu_1_simd", DType::kF32)},
       affine_forward_problems},
      {"affine_backward",
       {make_kernel<AffineBackward, affine_backward_reference<float>>("affine_backward", "reference",
                                                                      DType::kF32),
        make_kernel<AffineBackward, affine_backward_reference<double>>("affine_backward", "reference",
                                                                       DType::kF64),
        make_kernel<AffineBackward, affine_backward_simd>("affine_backward", "cpu_1_simd", DType::kF32)},
       affine_backward_problems},
  };
}

}  // namespace umbra
