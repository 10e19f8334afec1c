// The CUDA rungs of relu.
#include "engine/ops/elementwise/cuda_elements.h"
#include "engine/ops/elementwise/relu.h"

namespace umbra {
namespace {

void forward_naive(const ReluForward& op, Buffers b, void*, Stream& stream) {
  map_each_element(Relu(), op.count, stream, b.out(1), b.in(0));
}
void backward_naive(const ReluBackward& op, Buffers b, void*, Stream& stream) {
  map_each_element(ReluGate(), op.count, stream, b.out(2), b.in(0), b.in(1));
}
void forward_vectors(const ReluForward& op, Buffers b, void*, Stream& stream) {
  map_vectors(Relu(), op.count, stream, b.out(1), b.in(0));
}
void backward_vectors(const ReluBackward& op, Buffers b, void*, Stream& stream) {
  map_vectors(ReluGate(), op.count, stream, b.out(2), b.in(0), b.in(1));
}

}  // namespace

Kernel relu_forward_cuda_1_naive() {
  return make_kernel<ReluForward, forward_naive>();
}
Kernel relu_backward_cuda_1_naive() {
  return make_kernel<ReluBackward, backward_naive>();
}
Kernel relu_forward_cuda_2_vectors() {
  return make_kernel<ReluForward, forward_vectors>();
}
Kernel relu_backward_cuda_2_vectors() {
  return make_kernel<ReluBackward, backward_vectors>();
}

}  // namespace umbra
