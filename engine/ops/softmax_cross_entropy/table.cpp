#include "engine/ops/softmax_cross_entropy/table.h"

#include "engine/ops/softmax_cross_entropy/reference.h"
#include "engine/ops/softmax_cross_entropy/shapes.h"

namespace umbra {

// In cpu_1_rows.cpp.
void softmax_cross_entropy_rows(const SoftmaxCrossEntropy&, Buffers, void*, Stream&);
std::size_t softmax_cross_entropy_workspace(const SoftmaxCrossEntropy&);

std::vector<OpFamily> softmax_cross_entropy_families() {
  return {
      {"softmax_cross_entropy",
       {make_kernel<SoftmaxCrossEntropy, softmax_cross_entropy_reference<float>>("softmax_cross_entropy",
                                                                                 "reference", DType::kF32),
        make_kernel<SoftmaxCrossEntropy, softmax_cross_entropy_reference<double>>("softmax_cross_entropy",
                                                                                  "reference", DType::kF64),
        make_kernel<SoftmaxCrossEntropy, softmax_cross_entropy_rows, nullptr,
                    softmax_cross_entropy_workspace>("softmax_cross_entropy", "cpu_1_rows", DType::kF32)},
       softmax_cross_entropy_problems},
  };
}

}  // namespace umbra
