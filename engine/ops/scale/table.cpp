#include "engine/ops/scale/table.h"

#include "engine/ops/scale/reference.h"
#include "engine/ops/scale/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void scale_simd(const Scale&, Buffers, void*, Stream&);
void set_value_simd(const SetValue&, Buffers, void*, Stream&);

std::vector<OpFamily> scale_families() {
  return {
      {"scale",
       {make_kernel<Scale, scale_reference<float>>("scale", "reference", DType::kF32),
        make_kernel<Scale, scale_reference<double>>("scale", "reference", DType::kF64),
        make_kernel<Scale, scale_simd>("scale", "cpu_1_simd", DType::kF32)},
       scale_problems},
      {"set_value",
       {make_kernel<SetValue, set_value_reference<float>>("set_value", "reference", DType::kF32),
        make_kernel<SetValue, set_value_reference<double>>("set_value", "reference", DType::kF64),
        make_kernel<SetValue, set_value_simd>("set_value", "cpu_1_simd", DType::kF32)},
       set_value_problems},
  };
}

}  // namespace umbra
