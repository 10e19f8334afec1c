// One thread per element.
#include "engine/cuda/indexing.h"
#include "engine/ops/affine/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

// x, y: [N, B]; scale, shift: [B]
__global__ void affine_forward_each(const float* x, const float* scale, const float* shift, float* y,
                                    std::int64_t count, std::int64_t columns) {
  const std::int64_t i = thread_number();
  if (i < count) y[i] = scale[i % columns] * x[i] + shift[i % columns];
}

__global__ void affine_backward_each(const float* dy, const float* scale, float* dx, std::int64_t count,
                                     std::int64_t columns) {
  const std::int64_t i = thread_number();
  if (i < count) dx[i] = scale[i % columns] * dy[i];
}

}  // namespace

void affine_forward_cuda_1_naive(const AffineForward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.rows * op.columns;
  launch(affine_forward_each, one_thread_each(count), stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<const float*>(buffers[1]), static_cast<const float*>(buffers[2]),
         static_cast<float*>(buffers[3]), count, op.columns);
}

void affine_backward_cuda_1_naive(const AffineBackward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.rows * op.columns;
  launch(affine_backward_each, one_thread_each(count), stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<const float*>(buffers[1]), static_cast<float*>(buffers[2]), count, op.columns);
}

}  // namespace umbra
