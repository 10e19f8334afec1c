// The CUDA rungs of sigmoid.
#include "engine/ops/elementwise/cuda_elements.h"
#include "engine/ops/elementwise/sigmoid.h"

namespace umbra {
namespace {

void forward_naive(const SigmoidForward& op, Buffers b, void*, Stream& stream) {
  map_each_element(LogisticSigmoid(), op.count, stream, b.out(1), b.in(0));
}
void backward_naive(const SigmoidBackward& op, Buffers b, void*, Stream& stream) {
  map_each_element(SigmoidGradient(), op.count, stream, b.out(2), b.in(0), b.in(1));
}
void forward_vectors(const SigmoidForward& op, Buffers b, void*, Stream& stream) {
  map_vectors(LogisticSigmoid(), op.count, stream, b.out(1), b.in(0));
}
void backward_vectors(const SigmoidBackward& op, Buffers b, void*, Stream& stream) {
  map_vectors(SigmoidGradient(), op.count, stream, b.out(2), b.in(0), b.in(1));
}

}  // namespace

Kernel sigmoid_forward_cuda_1_naive() {
  return make_kernel<SigmoidForward, forward_naive>();
}
Kernel sigmoid_backward_cuda_1_naive() {
  return make_kernel<SigmoidBackward, backward_naive>();
}
Kernel sigmoid_forward_cuda_2_vectors() {
  return make_kernel<SigmoidForward, forward_vectors>();
}
Kernel sigmoid_backward_cuda_2_vectors() {
  return make_kernel<SigmoidBackward, backward_vectors>();
}

}  // namespace umbra
