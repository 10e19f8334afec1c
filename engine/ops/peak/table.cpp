#include "engine/ops/peak/table.h"

#include "engine/ops/peak/reference.h"
#include "engine/ops/peak/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void peak_fma_simd(const PeakFma&, Buffers, void*, Stream&);
void peak_copy_simd(const PeakCopy&, Buffers, void*, Stream&);

std::vector<OpFamily> peak_families() {
  return {
      {"peak_fma",
       {make_kernel<PeakFma, peak_fma_reference<float>>("peak_fma", "reference", DType::kF32),
        make_kernel<PeakFma, peak_fma_reference<double>>("peak_fma", "reference", DType::kF64),
        make_kernel<PeakFma, peak_fma_simd>("peak_fma", "cpu_1_simd", DType::kF32)},
       peak_fma_problems},
      {"peak_copy",
       {make_kernel<PeakCopy, peak_copy_reference<float>>("peak_copy", "reference", DType::kF32),
        make_kernel<PeakCopy, peak_copy_reference<double>>("peak_copy", "reference", DType::kF64),
        make_kernel<PeakCopy, peak_copy_simd>("peak_copy", "cpu_1_simd", DType::kF32)},
       peak_copy_problems},
  };
}

}  // namespace umbra
