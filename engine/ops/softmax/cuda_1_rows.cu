// A warp per row where the numbers of a row are adjacent (inner = 1), otherwise a thread per row, with
// neighbouring rows in neighbouring threads: reads and writes are contiguous either way. Exponentials and
// sums are in double; every thread reads back only what it has written itself.
#include <cmath>
#include <limits>

#include "engine/cuda/tile/block_fold.h"
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/softmax/op.h"

namespace umbra {
namespace {

/// The numbers of a row that belong to this thread: the one at `begin` and every `step`-th after it.
struct RowPart {
  std::int64_t begin, end, step;
};

template <unsigned kLanes>
__device__ unsigned row_of_thread() {
  return static_cast<unsigned>(thread_number() / kLanes);
}

template <unsigned kLanes>
__device__ RowPart row_part(std::int64_t extent, unsigned inner) {
  const unsigned row = row_of_thread<kLanes>();
  if constexpr (kLanes > 1) return {row * extent + threadIdx.x % kLanes, (row + 1) * extent, kLanes};
  const std::int64_t first = row / inner * (extent * inner) + row % inner;
  return {first, first + extent * inner, inner};
}

/// Folds over the threads of a row; all of them must call it.
template <unsigned kLanes, class T, class Fold>
__device__ T row_fold(T value, const Fold& fold) {
  if constexpr (kLanes == 1) return value;
  return warp_fold(value, fold);
}

// x, y: [outer, K, inner]
template <bool kLog, unsigned kLanes>
__global__ void __launch_bounds__(kElementThreads)
    softmax_forward_rows(const float* x, float* y, unsigned rows, std::int64_t extent, unsigned inner) {
  if (row_of_thread<kLanes>() >= rows) return;  // all threads of a row
  const RowPart part = row_part<kLanes>(extent, inner);
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t i = part.begin; i < part.end; i += part.step) largest = Larger()(largest, x[i]);
  const double shift = row_fold<kLanes>(largest, Larger());
  double sum = 0;
#pragma unroll 1  // several exponentials at once would spill registers
  for (std::int64_t i = part.begin; i < part.end; i += part.step) {
    const double power = std::exp(x[i] - shift);
    if constexpr (!kLog) y[i] = static_cast<float>(power);
    sum += power;
  }
  sum = row_fold<kLanes>(sum, PlusFold());
  const double number = kLog ? std::log(sum) : 1 / sum;
  for (std::int64_t i = part.begin; i < part.end; i += part.step) {
    y[i] = static_cast<float>(kLog ? x[i] - shift - number : y[i] * number);
  }
}

// dy, y, dx: [outer, K, inner]
template <bool kLog, unsigned kLanes>
__global__ void __launch_bounds__(kElementThreads)
    softmax_backward_rows(const float* dy, const float* y, float* dx, unsigned rows, std::int64_t extent,
                          unsigned inner) {
  if (row_of_thread<kLanes>() >= rows) return;  // all threads of a row
  const RowPart part = row_part<kLanes>(extent, inner);
  double sum = 0;
  for (std::int64_t i = part.begin; i < part.end; i += part.step) {
    sum += kLog ? dy[i] : static_cast<double>(dy[i]) * y[i];
  }
  sum = row_fold<kLanes>(sum, PlusFold());
#pragma unroll 1
  for (std::int64_t i = part.begin; i < part.end; i += part.step) {
    const double value = y[i];
    dx[i] = static_cast<float>(kLog ? dy[i] - std::exp(value) * sum : value * (dy[i] - sum));
  }
}

/// A warp per row where its numbers are adjacent, else a thread; no blocks where there are no numbers.
unsigned lanes_of(const SoftmaxOp& op) {
  return op.inner == 1 ? kWarp : 1;
}
std::string declines(const SoftmaxOp& op) {
  return op.rows() < std::int64_t{1} << 31 ? "" : "it supports at most 2^31 - 1 rows";
}
Grid grid_of(const SoftmaxOp& op) {
  return one_thread_each(op.extent == 0 ? 0 : op.rows() * lanes_of(op));
}

void forward(const SoftmaxForward& op, Buffers b, void*, Stream& stream) {
  const auto start = [&](auto kernel) {
    launch(kernel, grid_of(op), stream.native(), b.in(0), b.out(1), op.rows(), op.extent, op.inner);
  };
  if (lanes_of(op) == 1)
    return start(op.log ? softmax_forward_rows<true, 1> : softmax_forward_rows<false, 1>);
  start(op.log ? softmax_forward_rows<true, kWarp> : softmax_forward_rows<false, kWarp>);
}

void backward(const SoftmaxBackward& op, Buffers b, void*, Stream& stream) {
  const auto start = [&](auto kernel) {
    launch(kernel, grid_of(op), stream.native(), b.in(0), b.in(1), b.out(2), op.rows(), op.extent, op.inner);
  };
  if (lanes_of(op) == 1)
    return start(op.log ? softmax_backward_rows<true, 1> : softmax_backward_rows<false, 1>);
  start(op.log ? softmax_backward_rows<true, kWarp> : softmax_backward_rows<false, kWarp>);
}

}  // namespace

Kernel softmax_forward_cuda_1_rows() {
  return make_kernel<SoftmaxForward, forward, declines>();
}
Kernel softmax_backward_cuda_1_rows() {
  return make_kernel<SoftmaxBackward, backward, declines>();
}

}  // namespace umbra
