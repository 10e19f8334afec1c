// The CUDA rungs of tanh.
#include "engine/ops/elementwise/cuda_elements.h"
#include "engine/ops/elementwise/tanh.h"

namespace umbra {
namespace {

void forward_naive(const TanhForward& op, Buffers b, void*, Stream& stream) {
  map_each_element(HyperbolicTangent(), op.count, stream, b.out(1), b.in(0));
}
void backward_naive(const TanhBackward& op, Buffers b, void*, Stream& stream) {
  map_each_element(TanhGradient(), op.count, stream, b.out(2), b.in(0), b.in(1));
}
void forward_vectors(const TanhForward& op, Buffers b, void*, Stream& stream) {
  map_vectors(HyperbolicTangent(), op.count, stream, b.out(1), b.in(0));
}
void backward_vectors(const TanhBackward& op, Buffers b, void*, Stream& stream) {
  map_vectors(TanhGradient(), op.count, stream, b.out(2), b.in(0), b.in(1));
}

}  // namespace

Kernel tanh_forward_cuda_1_naive() {
  return make_kernel<TanhForward, forward_naive>();
}
Kernel tanh_backward_cuda_1_naive() {
  return make_kernel<TanhBackward, backward_naive>();
}
Kernel tanh_forward_cuda_2_vectors() {
  return make_kernel<TanhForward, forward_vectors>();
}
Kernel tanh_backward_cuda_2_vectors() {
  return make_kernel<TanhBackward, backward_vectors>();
}

}  // namespace umbra
