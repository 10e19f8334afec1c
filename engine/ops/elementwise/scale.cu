// The CUDA rungs of scaling and of setting a buffer.
#include "engine/ops/elementwise/cuda_elements.h"
#include "engine/ops/elementwise/scale.h"

namespace umbra {
namespace {

void scale_naive(const Scale& op, Buffers b, void*, Stream& stream) {
  map_each_element(ScaledBy<float>{b.in(1)}, op.count, stream, b.out(0), b.in(0));
}
void scale_vectors(const Scale& op, Buffers b, void*, Stream& stream) {
  map_vectors(ScaledBy<float>{b.in(1)}, op.count, stream, b.out(0), b.in(0));
}
void set_naive(const SetValue& op, Buffers b, void*, Stream& stream) {
  map_each_element(Always<float>{static_cast<float>(op.value)}, op.count, stream, b.out(0));
}
void set_vectors(const SetValue& op, Buffers b, void*, Stream& stream) {
  map_vectors(Always<float>{static_cast<float>(op.value)}, op.count, stream, b.out(0));
}

}  // namespace

Kernel scale_cuda_1_naive() {
  return make_kernel<Scale, scale_naive>();
}
Kernel scale_cuda_2_vectors() {
  return make_kernel<Scale, scale_vectors>();
}
Kernel set_value_cuda_1_naive() {
  return make_kernel<SetValue, set_naive>();
}
Kernel set_value_cuda_2_vectors() {
  return make_kernel<SetValue, set_vectors>();
}

}  // namespace umbra
