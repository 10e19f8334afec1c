#include "engine/ops/sgd/table.h"

#include "engine/ops/sgd/reference.h"
#include "engine/ops/sgd/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void sgd_step_simd(const SgdStep&, Buffers, void*, Stream&);

std::vector<OpFamily> sgd_families() {
  return {
      {"sgd_step",
       {make_kernel<SgdStep, sgd_step_reference<float>>("sgd_step", "reference", DType::kF32),
        make_kernel<SgdStep, sgd_step_reference<double>>("sgd_step", "reference", DType::kF64),
        make_kernel<SgdStep, sgd_step_simd>("sgd_step", "cpu_1_simd", DType::kF32)},
       sgd_step_problems},
  };
}

}  // namespace umbra
