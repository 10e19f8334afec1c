#include "engine/ops/transpose/table.h"

#include "engine/ops/transpose/reference.h"
#include "engine/ops/transpose/shapes.h"

namespace umbra {

// In cpu_1_tiles.cpp.
void transpose_tiles(const Transpose&, Buffers, void*, Stream&);

std::vector<OpFamily> transpose_families() {
  return {
      {"transpose",
       {make_kernel<Transpose, transpose_reference<float>>("transpose", "reference", DType::kF32),
        make_kernel<Transpose, transpose_reference<double>>("transpose", "reference", DType::kF64),
        make_kernel<Transpose, transpose_tiles>("transpose", "cpu_1_tiles", DType::kF32)},
       transpose_problems},
  };
}

}  // namespace umbra
