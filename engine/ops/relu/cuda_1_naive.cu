// One thread per element.
#include "engine/cuda/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/relu/op.h"

namespace umbra {
namespace {

__global__ void relu_forward_each(const float* x, float* y, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i < count) y[i] = x[i] <= 0 ? 0 : x[i];  // a NaN passes
}

__global__ void relu_backward_each(const float* dy, const float* y, float* dx, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i < count) dx[i] = y[i] > 0 ? dy[i] : 0;
}

}  // namespace

void relu_forward_cuda_1_naive(const ReluForward& op, Buffers buffers, void*, Stream& stream) {
  launch(relu_forward_each, one_thread_each(op.count), stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<float*>(buffers[1]), op.count);
}

void relu_backward_cuda_1_naive(const ReluBackward& op, Buffers buffers, void*, Stream& stream) {
  launch(relu_backward_each, one_thread_each(op.count), stream.native(),
         static_cast<const float*>(buffers[0]), static_cast<const float*>(buffers[1]),
         static_cast<float*>(buffers[2]), op.count);
}

}  // namespace umbra
