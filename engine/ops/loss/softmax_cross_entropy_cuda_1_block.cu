// One block whose warps process one row each, in double; loss and gradient in one launch. Designed for a
// batch of rows with a few classes, correct for any size. The exponentials are computed twice instead of
// being stored.
#include <cmath>
#include <limits>

#include "engine/cuda/tile/block_fold.h"
#include "engine/ops/kernel.h"
#include "engine/ops/loss/softmax_cross_entropy.h"

namespace umbra {
namespace {

constexpr unsigned kThreads = 512, kWarps = kThreads / kWarp;

/// The shares of the classes in the loss of a row.
struct Shares {
  const float* weights;  // [K], or null: all 1
  double own, spread;    // of the label and, by smoothing, of every class; without weights

  __device__ double weight(std::int64_t k) const { return weights != nullptr ? weights[k] : 1; }
  __device__ double of(std::int64_t k, bool is_label) const {
    return is_label ? (own + spread) * weight(k) : spread > 0 ? spread * weight(k) : 0;
  }
};

/// A warp's row that counts: returns its loss in every lane. dz becomes its gradient over `divisor`.
__device__ double softmax_row(const Shares& shares, const float* z, std::int64_t label, std::int64_t columns,
                              double divisor, float* dz) {
  const unsigned lane = threadIdx.x % kWarp;
  float largest = z[0];
  for (std::int64_t k = lane; k < columns; k += kWarp) largest = z[k] > largest ? z[k] : largest;
  const double shift = warp_fold(largest, Larger());
  double sum = 0;
  for (std::int64_t k = lane; k < columns; k += kWarp) sum += std::exp(z[k] - shift);
  sum = warp_sum(sum);
  double total = shares.of(label, true);     // of all shares
  const double top = std::log(sum) + shift;  // top minus a logit is -log p
  double loss = total * (top - z[label]);
  if (shares.spread > 0) {
    double others = 0, lost = 0;
    for (std::int64_t k = lane; k < columns; k += kWarp) {
      const double share = k == label ? 0 : shares.of(k, false);
      others += share;
      lost += k == label ? 0 : share * (top - z[k]);
    }
    total += warp_sum(others);
    loss += warp_sum(lost);
  }
  for (std::int64_t k = lane; k < columns; k += kWarp) {
    const double probability = std::exp(z[k] - shift) / sum;
    dz[k] = static_cast<float>((total * probability - shares.of(k, k == label)) / divisor);
  }
  return loss;
}

// z, dz: [N, K]; label: [N]; loss: [1] or, not reduced, [N]
__global__ void __launch_bounds__(kThreads, 1)
    softmax_cross_entropy_block(CrossEntropyRule rule, Shares shares, const float* z,
                                const std::int32_t* label, float* loss, float* dz, std::int64_t rows,
                                std::int64_t columns) {
  const unsigned lane = threadIdx.x % kWarp;
  double* const scratch = &shared_memory<double>();  // two sums of a number per warp
  double divisor = 1;
  if (rule.reduce == Reduce::kMean) {
    double counted = 0;
    for (std::int64_t n = threadIdx.x; n < rows; n += kThreads)
      counted += rule.counts(label[n], columns) ? shares.weight(label[n]) : 0;
    divisor = block_sum(counted, scratch);
  }
  double total = 0;  // of this warp's rows, the same in every lane
  for (std::int64_t n = threadIdx.x / kWarp; n < rows; n += kWarps) {
    const std::int64_t own = label[n];
    double of_row = rule.ignores(own) ? 0 : std::numeric_limits<double>::quiet_NaN();
    if (rule.counts(own, columns)) {
      of_row = softmax_row(shares, z + n * columns, own, columns, divisor, dz + n * columns);
    } else {
      for (std::int64_t k = lane; k < columns; k += kWarp) dz[n * columns + k] = 0;
    }
    if (rule.reduce == Reduce::kNone && lane == 0) loss[n] = static_cast<float>(of_row);
    total += of_row;
  }
  if (rule.reduce == Reduce::kNone) return;
  total = block_sum(lane == 0 ? total : 0.0, scratch + kWarps);
  if (threadIdx.x == 0) *loss = static_cast<float>(total / divisor);
}

void run(const SoftmaxCrossEntropy& op, Buffers buffers, void*, Stream& stream) {
  const CrossEntropyRule& rule = op.rule;
  const Shares shares{rule.class_weights ? buffers.in(2) : nullptr, 1 - rule.label_smoothing,
                      rule.label_smoothing / static_cast<double>(op.columns)};
  const Grid grid{{1}, {kThreads}, 2 * kWarps * sizeof(double)};
  launch(softmax_cross_entropy_block, grid, stream.native(), rule, shares, buffers.in(0),
         buffers.in<std::int32_t>(1), buffers.out(3), buffers.out(4), op.rows, op.columns);
}

}  // namespace

Kernel softmax_cross_entropy_cuda_1_block() {
  return make_kernel<SoftmaxCrossEntropy, run>();
}

}  // namespace umbra
