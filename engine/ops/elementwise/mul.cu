// The CUDA rungs of the elementwise product.
#include "engine/ops/elementwise/cuda_elements.h"
#include "engine/ops/elementwise/mul.h"

namespace umbra {
namespace {

void naive(const Mul& op, Buffers b, void*, Stream& stream) {
  map_each_element(ProductOfTwo(), op.count, stream, b.out(2), b.in(0), b.in(1));
}
void vectors(const Mul& op, Buffers b, void*, Stream& stream) {
  map_vectors(ProductOfTwo(), op.count, stream, b.out(2), b.in(0), b.in(1));
}

}  // namespace

Kernel mul_cuda_1_naive() {
  return make_kernel<Mul, naive>();
}
Kernel mul_cuda_2_vectors() {
  return make_kernel<Mul, vectors>();
}

}  // namespace umbra
