// The CUDA rungs of the fixed affine map of columns.
//
//   cuda_1_naive     one thread per element
//   cuda_2_columns   a thread stays in its column and iterates over the rows
//   (engine/ops/shared/cuda_channel_map.h)
#include "engine/ops/elementwise/affine.h"
#include "engine/ops/shared/cuda_channel_map.h"

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

void forward_naive(const AffineForward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.rows * op.columns;
  launch(affine_forward_each, one_thread_each(count), stream.native(), buffers.in(0), buffers.in(1),
         buffers.in(2), buffers.out(3), count, op.columns);
}

void backward_naive(const AffineBackward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.rows * op.columns;
  launch(affine_backward_each, one_thread_each(count), stream.native(), buffers.in(0), buffers.in(1),
         buffers.out(2), count, op.columns);
}

struct Column {
  float scale, shift;
  __device__ float operator()(float x) const { return scale * x + shift; }
};
struct Columns {
  const float *scale, *shift;  // [B]; shift is null for the adjoint
  __device__ Column of(std::int64_t b) const { return {scale[b], shift != nullptr ? shift[b] : 0}; }
};

template <class O>
std::string columns_declines(const O& op) {
  return ChannelCut::declines(op.rows, 1);
}

void forward_columns(const AffineForward& op, Buffers buffers, void*, Stream& stream) {
  const Columns columns{buffers.in(1), buffers.in(2)};
  map_channels(columns, op.rows, op.columns, 1, stream, buffers.in(0), buffers.out(3));
}

void backward_columns(const AffineBackward& op, Buffers buffers, void*, Stream& stream) {
  const Columns columns{buffers.in(1), nullptr};
  map_channels(columns, op.rows, op.columns, 1, stream, buffers.in(0), buffers.out(2));
}

}  // namespace

Kernel affine_forward_cuda_1_naive() {
  return make_kernel<AffineForward, forward_naive>();
}
Kernel affine_backward_cuda_1_naive() {
  return make_kernel<AffineBackward, backward_naive>();
}
Kernel affine_forward_cuda_2_columns() {
  return make_kernel<AffineForward, forward_columns, columns_declines<AffineForward>>();
}
Kernel affine_backward_cuda_2_columns() {
  return make_kernel<AffineBackward, backward_columns, columns_declines<AffineBackward>>();
}

}  // namespace umbra
