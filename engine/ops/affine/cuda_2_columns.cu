// A thread stays in its column and walks down the rows (engine/cuda/channel_map.h).
#include "engine/cuda/channel_map.h"
#include "engine/ops/affine/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

struct Column {
  float scale, shift;
  __device__ float operator()(float x) const { return scale * x + shift; }
};
struct Columns {
  const float *scale, *shift;  // [B]; shift is null for the adjoint
  __device__ Column of(std::int64_t b) const { return {scale[b], shift != nullptr ? shift[b] : 0}; }
};

}  // namespace

void affine_forward_cuda_2_columns(const AffineForward& op, Buffers buffers, void*, Stream& stream) {
  const Columns columns{static_cast<const float*>(buffers[1]), static_cast<const float*>(buffers[2])};
  map_channels(columns, op.rows, op.columns, 1, stream, static_cast<const float*>(buffers[0]),
               static_cast<float*>(buffers[3]));
}

void affine_backward_cuda_2_columns(const AffineBackward& op, Buffers buffers, void*, Stream& stream) {
  const Columns columns{static_cast<const float*>(buffers[1]), nullptr};
  map_channels(columns, op.rows, op.columns, 1, stream, static_cast<const float*>(buffers[0]),
               static_cast<float*>(buffers[2]));
}

}  // namespace umbra
