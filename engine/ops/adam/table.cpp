#include "engine/ops/adam/table.h"

#include "engine/ops/adam/reference.h"
#include "engine/ops/adam/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void adam_step_simd(const AdamStep&, Buffers, void*, Stream&);

std::vector<OpFamily> adam_families() {
  return {
      {"adam_step",
       {make_kernel<AdamStep, adam_step_reference<float>>("adam_step", "reference", DType::kF32),
        make_kernel<AdamStep, adam_step_reference<double>>("adam_step", "reference", DType::kF64),
        make_kernel<AdamStep, adam_step_simd>("adam_step", "cpu_1_simd", DType::kF32)},
       adam_step_problems},
  };
}

}  // namespace umbra
