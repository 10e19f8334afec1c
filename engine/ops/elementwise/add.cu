// The CUDA rungs of the elementwise sum.
#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/cuda_elements.h"

namespace umbra {
namespace {

void naive(const Add& op, Buffers b, void*, Stream& stream) {
  map_each_element(SumOfTwo(), op.count, stream, b.out(2), b.in(0), b.in(1));
}
void vectors(const Add& op, Buffers b, void*, Stream& stream) {
  map_vectors(SumOfTwo(), op.count, stream, b.out(2), b.in(0), b.in(1));
}

}  // namespace

Kernel add_cuda_1_naive() {
  return make_kernel<Add, naive>();
}
Kernel add_cuda_2_vectors() {
  return make_kernel<Add, vectors>();
}

}  // namespace umbra
