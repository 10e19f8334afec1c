// The CUDA rungs of exp.
#include "engine/ops/elementwise/cuda_elements.h"
#include "engine/ops/elementwise/exp.h"

namespace umbra {
namespace {

void naive(const Exp& op, Buffers b, void*, Stream& stream) {
  map_each_element(Exponential(), op.count, stream, b.out(1), b.in(0));
}
void vectors(const Exp& op, Buffers b, void*, Stream& stream) {
  map_vectors(Exponential(), op.count, stream, b.out(1), b.in(0));
}

}  // namespace

Kernel exp_cuda_1_naive() {
  return make_kernel<Exp, naive>();
}
Kernel exp_cuda_2_vectors() {
  return make_kernel<Exp, vectors>();
}

}  // namespace umbra
