// One thread per output: an element forward, the sum of a channel backward.
#include "engine/cuda/indexing.h"
#include "engine/ops/bias/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

// x, y, dy: [N, C, S]; bias, dbias: [C]
__global__ void bias_forward_each(const float* x, const float* bias, float* y, std::int64_t count,
                                  std::int64_t channels, std::int64_t volume) {
  const std::int64_t i = thread_number();
  if (i < count) y[i] = x[i] + bias[i / volume % channels];
}

__global__ void bias_backward_each(const float* dy, float* dbias, std::int64_t batch, std::int64_t channels,
                                   std::int64_t volume) {
  const std::int64_t c = thread_number();
  if (c >= channels) return;
  double sum = 0;
  for (std::int64_t n = 0; n < batch; ++n) {
    const float* run = dy + (n * channels + c) * volume;
    for (std::int64_t s = 0; s < volume; ++s) sum += run[s];
  }
  dbias[c] = static_cast<float>(sum);
}

}  // namespace

void bias_forward_cuda_1_naive(const BiasForward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.batch * op.channels * op.volume;
  launch(bias_forward_each, one_thread_each(count), stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<const float*>(buffers[1]), static_cast<float*>(buffers[2]), count, op.channels,
         op.volume);
}

void bias_backward_cuda_1_naive(const BiasBackward& op, Buffers buffers, void*, Stream& stream) {
  launch(bias_backward_each, one_thread_each(op.channels), stream.native(),
         static_cast<const float*>(buffers[0]), static_cast<float*>(buffers[1]), op.batch, op.channels,
         op.volume);
}

}  // namespace umbra
