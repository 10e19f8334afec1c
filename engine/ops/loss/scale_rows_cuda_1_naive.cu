// The scaling of rows, one thread per number.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/loss/scale_rows.h"

namespace umbra {
namespace {

// x: [N, K]; factor: [N]
__global__ void __launch_bounds__(kElementThreads)
    scale_rows_each(float* x, const float* factor, std::int64_t count, std::int64_t columns) {
  const std::int64_t i = thread_number();
  if (i < count) x[i] *= factor[i / columns];
}

void run(const ScaleRows& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.rows * op.columns;
  launch(scale_rows_each, one_thread_each(count), stream.native(), buffers.out(0), buffers.in(1), count,
         op.columns);
}

}  // namespace

Kernel scale_rows_cuda_1_naive() {
  return make_kernel<ScaleRows, run>();
}

}  // namespace umbra
