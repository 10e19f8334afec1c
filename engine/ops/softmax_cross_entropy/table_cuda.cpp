// The CUDA rungs of softmax with cross entropy.
#include "engine/ops/softmax_cross_entropy/table_cuda.h"

#include "engine/ops/softmax_cross_entropy/op.h"

namespace umbra {

// In the files of these names.
void softmax_cross_entropy_cuda_1_block(const SoftmaxCrossEntropy&, Buffers, void*, Stream&);

std::vector<OpFamily> softmax_cross_entropy_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"softmax_cross_entropy",
       {make_kernel<SoftmaxCrossEntropy, softmax_cross_entropy_cuda_1_block>(
           "softmax_cross_entropy", "cuda_1_block", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra
