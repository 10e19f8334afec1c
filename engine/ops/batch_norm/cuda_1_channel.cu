// Training, one block per channel (or per 32 channels of rows), in one launch: the definition, one pass
// after the other over the channel's numbers, which come from the caches after the first pass.
//
// Forward computes the mean first and then the squared distances from it. The sum of the distances
// themselves, which is zero except for the mean's rounding, corrects the variance (the corrected two-pass
// formula of Chan, Golub & LeVeque 1983).
#include "engine/ops/batch_norm/cuda_arithmetic.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

template <int kWidth>
__global__ void __launch_bounds__(kBatchNormThreads)
    batch_norm_forward_channel(ChannelCut cut, BatchNormForwardArguments a, bool aligned) {
  double* scratch = &shared_memory<double>();  // [3][cut.scratch()]
  const ChannelWalk walk = my_walk(cut);
  const double count = cut.split_elements(0);
  const auto load = [&](std::int64_t at) { return load_unit<kWidth>(a.x + at, aligned); };

  double sum = 0;
  each_unit<1>(cut, walk, load, [&](std::int64_t, const Unit<kWidth>& x) {
    for (int k = 0; k < kWidth; ++k) sum += x.v[k];
  });
  const double mean = channel_sum(cut, sum, scratch) / count;

  double distances = 0, squares = 0;
  each_unit<1>(cut, walk, load, [&](std::int64_t, const Unit<kWidth>& x) {
    for (int k = 0; k < kWidth; ++k) {
      const double distance = x.v[k] - mean;
      distances += distance;
      squares = std::fma(distance, distance, squares);
    }
  });
  distances = channel_sum(cut, distances, scratch + cut.scratch());
  squares = channel_sum(cut, squares, scratch + 2 * cut.scratch());
  const double var = (squares - distances * distances / count) / count;
  if (!walk.more()) return;

  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  const ChannelMap map = finish_statistics(a, c, mean, var, count, is_speaker(cut));
  each_unit<1>(
      cut, walk, [&](std::int64_t at) { return load_forward<kWidth>(a, at, aligned); },
      [&](std::int64_t at, const ForwardUnit<kWidth>& in) { store_forward(a, map, at, in, aligned); });
}

template <int kWidth>
__global__ void __launch_bounds__(kBatchNormThreads)
    batch_norm_backward_channel(ChannelCut cut, BatchNormBackwardArguments a, bool aligned) {
  double* scratch = &shared_memory<double>();  // [2][cut.scratch()]
  const ChannelWalk walk = my_walk(cut);
  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  const float mean = walk.more() ? a.mean[c] : 0;
  const auto load = [&](std::int64_t at) { return load_backward<kWidth>(a, at, aligned); };

  double sum = 0, sum_centred = 0;
  each_unit<1>(cut, walk, load, [&](std::int64_t, const BackwardUnit<kWidth>& in) {
    add_backward(in, mean, sum, sum_centred);
  });
  sum = channel_sum(cut, sum, scratch);
  sum_centred = channel_sum(cut, sum_centred, scratch + cut.scratch());
  if (!walk.more()) return;

  const ChannelGradient gradient =
      finish_gradient(a, c, sum, sum_centred, cut.split_elements(0), is_speaker(cut));
  each_unit<1>(cut, walk, load, [&](std::int64_t at, const BackwardUnit<kWidth>& in) {
    if (a.dresidual != nullptr) store_unit(a.dresidual + at, in.g, aligned);
    store_backward(a, gradient, at, in, aligned);
  });
}

ChannelCut whole_channels(const BatchNormOp& op) {
  return ChannelCut::whole(op.outer, op.channels, op.inner, kBatchNormThreads);
}

void forward(const BatchNormForward& op, Buffers buffers, void*, Stream& stream) {
  const BatchNormForwardArguments a = arguments_of(op, buffers);
  const ChannelCut cut = whole_channels(op);
  launch(cut.width == 4 ? batch_norm_forward_channel<4> : batch_norm_forward_channel<1>, channel_grid(cut, 3),
         stream.native(), cut, a, a.aligned());
}

void backward(const BatchNormBackward& op, Buffers buffers, void*, Stream& stream) {
  const BatchNormBackwardArguments a = arguments_of(op, buffers);
  const ChannelCut cut = whole_channels(op);
  launch(cut.width == 4 ? batch_norm_backward_channel<4> : batch_norm_backward_channel<1>,
         channel_grid(cut, 2), stream.native(), cut, a, a.aligned());
}

}  // namespace

Kernel batch_norm_forward_cuda_1_channel() {
  return make_kernel<BatchNormForward, forward, forward_declines>();
}
Kernel batch_norm_backward_cuda_1_channel() {
  return make_kernel<BatchNormBackward, backward, backward_declines>();
}

}  // namespace umbra
