// One thread per number of y: neighbouring threads write neighbouring addresses and read far apart.
#include "engine/cuda/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/transpose/matrices.h"

namespace umbra {
namespace {

__global__ void transpose_each(const float* x, float* y, Matrices m, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const std::int64_t row = i % m.rows, matrix = i / m.rows % m.count, column = i / (m.rows * m.count);
  y[i] = x[m.input(row, matrix, column)];
}

}  // namespace

void transpose_cuda_1_naive(const Transpose& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.batch * op.channels * op.volume;
  launch(transpose_each, one_thread_each(count), stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<float*>(buffers[1]), matrices_of(op), count);
}

}  // namespace umbra
