#include "engine/ops/dropout/table.h"

#include "engine/ops/dropout/reference.h"
#include "engine/ops/dropout/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void dropout_simd(const Dropout&, Buffers, void*, Stream&);

std::vector<OpFamily> dropout_families() {
  return {
      {"dropout",
       {make_kernel<Dropout, dropout_reference<float>>("dropout", "reference", DType::kF32),
        make_kernel<Dropout, dropout_reference<double>>("dropout", "reference", DType::kF64),
        make_kernel<Dropout, dropout_simd>("dropout", "cpu_1_simd", DType::kF32)},
       dropout_problems},
  };
}

}  // namespace umbra
