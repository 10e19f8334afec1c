// Training in two launches, for channels of many numbers and for few channels: every channel is cut into
// ranges with a block each, so that the grid fills the GPU whatever the shape.
//
// The first launch writes (mean, sum of squared distances from it) of every range to the workspace. Within
// a range they come from one read, as sums of x - s and (x - s)^2 in double with s the range's first
// number: |mean - s| is at most the standard deviation times the root of the count, so that no more than
// log2(count) of 53 bits cancel. The second launch starts by combining the ranges of its channel (Chan,
// Golub & LeVeque 1983) in a fixed order. Each block does this itself, which is cheaper than a launch
// between the two. It processes the ranges backwards: the last ones read are still in the L2 cache.
#include "engine/ops/batch_norm/cuda_arithmetic.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

/// The result of one range: its statistics, or the gradient's two sums.
struct BatchNormPart {
  double mean, squares;
};

/// Ranges of 32 units of four per thread, a few hundred at most: each block of the second launch reads them
/// all.
ChannelCut ranges(const BatchNormOp& op) {
  return {op.outer, op.channels, op.inner, kBatchNormThreads, 32 * kBatchNormThreads, 512};
}

std::size_t workspace_bytes(const BatchNormOp& op) {
  const ChannelCut cut = ranges(op);
  return static_cast<std::size_t>(cut.channels) * cut.splits * sizeof(BatchNormPart);
}

template <int kWidth>
__global__ void __launch_bounds__(kBatchNormThreads)
    batch_norm_forward_parts(ChannelCut cut, BatchNormForwardArguments a, bool aligned,
                             BatchNormPart* parts) {
  double* scratch = &shared_memory<double>();  // [2][cut.scratch()]
  const ChannelWalk walk = my_walk(cut);
  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  const ChannelWalk first = cut.walk(threadIdx.x % cut.lanes, blockIdx.x, blockIdx.y);
  const double shift = first.more() ? a.x[first.at] : 0;
  double sum = 0, squares = 0;
  each_unit<4>(
      cut, walk, [&](std::int64_t at) { return load_unit<kWidth>(a.x + at, aligned); },
      [&](std::int64_t, const Unit<kWidth>& x) {
        for (int k = 0; k < kWidth; ++k) {
          const double distance = x.v[k] - shift;
          sum += distance;
          squares = std::fma(distance, distance, squares);
        }
      });
  sum = channel_sum(cut, sum, scratch);
  squares = channel_sum(cut, squares, scratch + cut.scratch());
  if (!is_speaker(cut)) return;
  const double offset = sum / cut.split_elements(blockIdx.y);
  parts[c * cut.splits + blockIdx.y] = {shift + offset, std::fma(-sum, offset, squares)};
}

template <int kWidth>
__global__ void __launch_bounds__(kBatchNormThreads)
    batch_norm_forward_finish(ChannelCut cut, BatchNormForwardArguments a, bool aligned,
                              const BatchNormPart* parts) {
  double* scratch = &shared_memory<double>();  // [2][cut.scratch()]
  const unsigned split = cut.splits - 1 - blockIdx.y;
  const ChannelWalk walk = cut.walk(threadIdx.x, blockIdx.x, split);
  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  const BatchNormPart* own = parts + c * cut.splits;
  const unsigned first = threadIdx.x / cut.lanes, end = c < cut.channels ? cut.splits : 0;
  const double count = static_cast<double>(cut.units) * cut.width;

  double mean = 0;
  for (unsigned s = first; s < end; s += cut.step) mean = std::fma(own[s].mean, cut.split_elements(s), mean);
  mean = channel_sum(cut, mean, scratch) / count;
  double squares = 0;
  for (unsigned s = first; s < end; s += cut.step) {
    const double distance = own[s].mean - mean;
    squares += std::fma(distance * distance, cut.split_elements(s), own[s].squares);
  }
  squares = channel_sum(cut, squares, scratch + cut.scratch());
  if (!walk.more()) return;

  const bool writes = split == 0 && is_speaker(cut);
  const ChannelMap map = finish_statistics(a, c, mean, squares / count, count, writes);
  each_unit<2>(
      cut, walk, [&](std::int64_t at) { return load_forward<kWidth>(a, at, aligned); },
      [&](std::int64_t at, const ForwardUnit<kWidth>& in) { store_forward(a, map, at, in, aligned); });
}

/// The two sums of a range; with a residual the gated gradient is stored, so it need not be computed again.
template <int kWidth>
__global__ void __launch_bounds__(kBatchNormThreads)
    batch_norm_backward_parts(ChannelCut cut, BatchNormBackwardArguments a, bool aligned,
                              BatchNormPart* parts) {
  double* scratch = &shared_memory<double>();  // [2][cut.scratch()]
  const ChannelWalk walk = my_walk(cut);
  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  const float mean = walk.more() ? a.mean[c] : 0;
  double sum = 0, sum_centred = 0;
  each_unit<2>(
      cut, walk, [&](std::int64_t at) { return load_backward<kWidth>(a, at, aligned); },
      [&](std::int64_t at, const BackwardUnit<kWidth>& in) {
        if (a.dresidual != nullptr) store_unit(a.dresidual + at, in.g, aligned);
        add_backward(in, mean, sum, sum_centred);
      });
  sum = channel_sum(cut, sum, scratch);
  sum_centred = channel_sum(cut, sum_centred, scratch + cut.scratch());
  if (is_speaker(cut)) parts[c * cut.splits + blockIdx.y] = {sum, sum_centred};
}

template <int kWidth>
__global__ void __launch_bounds__(kBatchNormThreads)
    batch_norm_backward_finish(ChannelCut cut, BatchNormBackwardArguments a, bool aligned,
                               const BatchNormPart* parts) {
  double* scratch = &shared_memory<double>();  // [2][cut.scratch()]
  const unsigned split = cut.splits - 1 - blockIdx.y;
  const ChannelWalk walk = cut.walk(threadIdx.x, blockIdx.x, split);
  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  const BatchNormPart* own = parts + c * cut.splits;
  double sum = 0, sum_centred = 0;
  for (unsigned s = threadIdx.x / cut.lanes; c < cut.channels && s < cut.splits; s += cut.step) {
    sum += own[s].mean;
    sum_centred += own[s].squares;
  }
  sum = channel_sum(cut, sum, scratch);
  sum_centred = channel_sum(cut, sum_centred, scratch + cut.scratch());
  if (!walk.more()) return;

  const bool writes = split == 0 && is_speaker(cut);
  const double count = static_cast<double>(cut.units) * cut.width;
  const ChannelGradient gradient = finish_gradient(a, c, sum, sum_centred, count, writes);
  if (a.dresidual != nullptr) a.dy = a.dresidual, a.y = nullptr;
  each_unit<2>(
      cut, walk, [&](std::int64_t at) { return load_backward<kWidth>(a, at, aligned); },
      [&](std::int64_t at, const BackwardUnit<kWidth>& in) { store_backward(a, gradient, at, in, aligned); });
}

void forward(const BatchNormForward& op, Buffers buffers, void* workspace, Stream& stream) {
  const BatchNormForwardArguments a = arguments_of(op, buffers);
  const ChannelCut cut = ranges(op);
  auto* parts = static_cast<BatchNormPart*>(workspace);  // [C, splits]
  const Grid grid = channel_grid(cut, 2);
  const bool aligned = a.aligned();
  launch(cut.width == 4 ? batch_norm_forward_parts<4> : batch_norm_forward_parts<1>, grid, stream.native(),
         cut, a, aligned, parts);
  launch(cut.width == 4 ? batch_norm_forward_finish<4> : batch_norm_forward_finish<1>, grid, stream.native(),
         cut, a, aligned, parts);
}

void backward(const BatchNormBackward& op, Buffers buffers, void* workspace, Stream& stream) {
  const BatchNormBackwardArguments a = arguments_of(op, buffers);
  const ChannelCut cut = ranges(op);
  auto* parts = static_cast<BatchNormPart*>(workspace);  // [C, splits]
  const Grid grid = channel_grid(cut, 2);
  const bool aligned = a.aligned();
  launch(cut.width == 4 ? batch_norm_backward_parts<4> : batch_norm_backward_parts<1>, grid, stream.native(),
         cut, a, aligned, parts);
  launch(cut.width == 4 ? batch_norm_backward_finish<4> : batch_norm_backward_finish<1>, grid,
         stream.native(), cut, a, aligned, parts);
}

}  // namespace

Kernel batch_norm_forward_cuda_2_split() {
  return make_kernel<BatchNormForward, forward, forward_declines, workspace_bytes>();
}
Kernel batch_norm_backward_cuda_2_split() {
  return make_kernel<BatchNormBackward, backward, backward_declines, workspace_bytes>();
}

}  // namespace umbra
