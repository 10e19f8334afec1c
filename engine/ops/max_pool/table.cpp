#include "engine/ops/max_pool/table.h"

#include "engine/ops/max_pool/reference.h"
#include "engine/ops/max_pool/shapes.h"

namespace umbra {

// In cpu_1_rows.cpp.
void max_pool_forward_rows(const MaxPoolForward&, Buffers, void*, Stream&);
void max_pool_backward_rows(const MaxPoolBackward&, Buffers, void*, Stream&);

std::vector<OpFamily> max_pool_families() {
  return {
      {"max_pool_forward",
       {make_kernel<MaxPoolForward, max_pool_forward_reference<float>>("max_pool_forward", "reference",
                                                                       DType::kF32),
        make_kernel<MaxPoolForward, max_pool_forward_reference<double>>("max_pool_forward", "reference",
                                                                        DType::kF64),
        make_kernel<MaxPoolForward, max_pool_forward_rows>("max_pool_forward", "cpu_1_rows", DType::kF32)},
       max_pool_forward_problems},
      {"max_pool_backward",
       {make_kernel<MaxPoolBackward, max_pool_backward_reference<float>>("max_pool_backward", "reference",
                                                                         DType::kF32),
        make_kernel<MaxPoolBackward, max_pool_backward_reference<double>>("max_pool_backward", "reference",
                                                                          DType::kF64),
        make_kernel<MaxPoolBackward, max_pool_backward_rows>("max_pool_backward", "cpu_1_rows", DType::kF32)},
       max_pool_backward_problems},
  };
}

}  // namespace umbra
