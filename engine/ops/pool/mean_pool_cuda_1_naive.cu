// One thread per output. Forward, neighbouring threads have neighbouring columns, so that all reads are of
// whole lines.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/pool/mean_pool.h"

namespace umbra {
namespace {

// x, dx: [S, C, N]; y, dy: [C, N]; row = C N
__global__ void mean_pool_forward_each(const float* x, float* y, std::int64_t volume, std::int64_t row) {
  const std::int64_t cn = thread_number();
  if (cn >= row) return;
  double sum = 0;
  for (std::int64_t s = 0; s < volume; ++s) sum += x[s * row + cn];
  y[cn] = static_cast<float>(sum / static_cast<double>(volume));
}

__global__ void mean_pool_backward_each(const float* dy, float* dx, std::int64_t volume, std::int64_t row) {
  const std::int64_t i = thread_number();
  if (i < volume * row) dx[i] = static_cast<float>(dy[i % row] / static_cast<double>(volume));
}

void forward(const MeanPoolForward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t row = op.channels * op.batch;
  launch(mean_pool_forward_each, one_thread_each(row), stream.native(), buffers.in(0), buffers.out(1),
         op.volume, row);
}

void backward(const MeanPoolBackward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t row = op.channels * op.batch;
  launch(mean_pool_backward_each, one_thread_each(op.volume * row), stream.native(), buffers.in(0),
         buffers.out(1), op.volume, row);
}

}  // namespace

Kernel mean_pool_forward_cuda_1_naive() {
  return make_kernel<MeanPoolForward, forward>();
}
Kernel mean_pool_backward_cuda_1_naive() {
  return make_kernel<MeanPoolBackward, backward>();
}

}  // namespace umbra
