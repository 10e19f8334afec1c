// Sums of a matrix' columns, unrounded, for the gradient of biases.
#include "cuda_grid.h"
#include "engine/ops/matmul/cuda_column_sums.h"

namespace umbra {
namespace {

constexpr int kSumRows = 8;
struct ColumnSums {
  float part[kSumRows][kWarp];
};

// db[m] = sum over n of dy[n][m], in order within each of eight parts and then over them. A warp reads 32
// columns.
__global__ void __launch_bounds__(kWarp* kSumRows)
    column_sums(const float* dy, float* db, int rows, int columns) {
  ColumnSums& shared = shared_memory<ColumnSums>();
  const int lane = static_cast<int>(threadIdx.x % kWarp), first = static_cast<int>(threadIdx.x / kWarp);
  const int column = static_cast<int>(blockIdx.x * kWarp) + lane;
  float sum = 0;
  for (int n = first; column < columns && n < rows; n += kSumRows)
    sum += dy[static_cast<std::int64_t>(n) * columns + column];
  shared.part[first][lane] = sum;
  __syncthreads();
  if (first != 0 || column >= columns) return;
  for (int part = 1; part < kSumRows; ++part) sum += shared.part[part][lane];
  db[column] = sum;
}

}  // namespace

void launch_column_sums(const LinearWgrad& op, const float* dy, float* db, Stream& stream) {
  const unsigned blocks = static_cast<unsigned>((op.out + kWarp - 1) / kWarp);
  launch(column_sums, Grid{{blocks}, {kWarp * kSumRows}, sizeof(ColumnSums)}, stream.native(), dy, db,
         static_cast<int>(op.rows), static_cast<int>(op.out));
}

}  // namespace umbra
