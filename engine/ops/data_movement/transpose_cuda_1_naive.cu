// One thread per number of y: neighbouring threads write neighbouring addresses and read distant ones.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/data_movement/transpose_matrices.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

__global__ void transpose_each(const float* x, float* y, Matrices m, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const std::int64_t row = i % m.rows, matrix = i / m.rows % m.count, column = i / (m.rows * m.count);
  y[i] = x[m.input(row, matrix, column)];
}

void run(const Transpose& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.batch * op.channels * op.volume;
  launch(transpose_each, one_thread_each(count), stream.native(), buffers.in(0), buffers.out(1),
         matrices_of(op), count);
}

}  // namespace

Kernel transpose_cuda_1_naive() {
  return make_kernel<Transpose, run>();
}

}  // namespace umbra
