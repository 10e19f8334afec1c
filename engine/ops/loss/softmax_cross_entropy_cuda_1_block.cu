// One block whose warps take a row each, in double; loss and gradient in one launch. Made for a batch of rows
// with a few classes, right for any size. The exponentials are taken twice instead of being kept somewhere.
#include <cmath>

#include "engine/cuda/tile/block_sum.h"
#include "engine/ops/ladder.h"
#include "engine/ops/loss/softmax_cross_entropy.h"

namespace umbra {
namespace {

constexpr unsigned kThreads = 512;

__device__ float warp_max(float value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const float other = __shfl_xor_sync(kFullWarp, value, lanes);
    value = other > value ? other : value;
  }
  return value;
}

// z, dz: [N, K]; label: [N]; loss: [1]
__global__ void __launch_bounds__(kThreads)
    softmax_cross_entropy_block(const float* z, const std::int32_t* label, float* loss, float* dz,
                                std::int64_t rows, std::int64_t columns) {
  const unsigned lane = threadIdx.x % kWarp;
  double total = 0;  // of this warp's rows, the same in every lane
  for (std::int64_t n = threadIdx.x / kWarp; n < rows; n += kThreads / kWarp) {
    const float* row = z + n * columns;
    float largest = row[0];
    for (std::int64_t k = lane; k < columns; k += kWarp) largest = row[k] > largest ? row[k] : largest;
    const double shift = warp_max(largest);
    double sum = 0;
    for (std::int64_t k = lane; k < columns; k += kWarp) sum += std::exp(row[k] - shift);
    sum = warp_sum(sum);
    const std::int64_t own = label[n];
    total += std::log(sum) + shift - row[own];
    for (std::int64_t k = lane; k < columns; k += kWarp) {
      const double probability = std::exp(row[k] - shift) / sum;
      dz[n * columns + k] =
          static_cast<float>((probability - (k == own ? 1 : 0)) / static_cast<double>(rows));
    }
  }
  total = block_sum(lane == 0 ? total : 0.0, &shared_memory<double>());
  if (threadIdx.x == 0) *loss = static_cast<float>(total / static_cast<double>(rows));
}

void run(const SoftmaxCrossEntropy& op, Buffers buffers, void*, Stream& stream) {
  const Grid grid{{1}, {kThreads}, kThreads / kWarp * sizeof(double)};
  launch(softmax_cross_entropy_block, grid, stream.native(), buffers.in(0), buffers.in<std::int32_t>(1),
         buffers.out(2), buffers.out(3), op.rows, op.columns);
}

}  // namespace

Kernel softmax_cross_entropy_cuda_1_block() {
  return make_kernel<SoftmaxCrossEntropy, run>();
}

}  // namespace umbra
