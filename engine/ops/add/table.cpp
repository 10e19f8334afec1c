#include "engine/ops/add/table.h"

#include "engine/ops/add/reference.h"
#include "engine/ops/add/shapes.h"

namespace umbra {

// In cpu_1_simd.cpp.
void add_simd(const Add&, Buffers, void*, Stream&);

std::vector<OpFamily> add_families() {
  return {
      {"add",
       {make_kernel<Add, add_reference<float>>("add", "reference", DType::kF32),
        make_kernel<Add, add_reference<double>>("add", "reference", DType::kF64),
        make_kernel<Add, add_simd>("add", "cpu_1_simd", DType::kF32)},
       add_problems},
  };
}

}  // namespace umbra
