// The CUDA rungs of the bias.
//
//   cuda_1_naive      one thread per output: an element forward, the sum of a channel backward
//   cuda_2_channels   forward: a thread stays in its channel (engine/ops/shared/cuda_channel_map.h)
//   cuda_2_split      backward: every channel is divided into ranges with a block each; the ranges' sums go
//                     to the workspace and a second launch adds them in order. A channel of one range needs
//                     only one launch.
#include "engine/ops/elementwise/bias.h"
#include "engine/ops/shared/cuda_channel_map.h"

namespace umbra {
namespace {

// x, y, dy: [N, C, S]; bias, dbias: [C]
__global__ void bias_forward_each(const float* x, const float* bias, float* y, std::int64_t count,
                                  std::int64_t channels, std::int64_t volume) {
  const std::int64_t i = thread_number();
  if (i < count) y[i] = x[i] + bias[i / volume % channels];
}

__global__ void bias_backward_each(const float* dy, float* dbias, std::int64_t batch, std::int64_t channels,
                                   std::int64_t volume) {
  const std::int64_t c = thread_number();
  if (c >= channels) return;
  double sum = 0;
  for (std::int64_t n = 0; n < batch; ++n) {
    const float* run = dy + (n * channels + c) * volume;
    for (std::int64_t s = 0; s < volume; ++s) sum += run[s];
  }
  dbias[c] = static_cast<float>(sum);
}

void forward_naive(const BiasForward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.batch * op.channels * op.volume;
  launch(bias_forward_each, one_thread_each(count), stream.native(), buffers.in(0), buffers.in(1),
         buffers.out(2), count, op.channels, op.volume);
}

void backward_naive(const BiasBackward& op, Buffers buffers, void*, Stream& stream) {
  launch(bias_backward_each, one_thread_each(op.channels), stream.native(), buffers.in(0), buffers.out(1),
         op.batch, op.channels, op.volume);
}

template <class O>
std::string channel_declines(const O& op) {
  return ChannelCut::declines(op.batch, op.volume);
}

struct Shifted {
  float by;
  __device__ float operator()(float x) const { return x + by; }
};
struct Biases {
  const float* bias;  // [C]
  __device__ Shifted of(std::int64_t c) const { return {bias[c]}; }
};

void forward_channels(const BiasForward& op, Buffers buffers, void*, Stream& stream) {
  map_channels(Biases{buffers.in(1)}, op.batch, op.channels, op.volume, stream, buffers.in(0),
               buffers.out(2));
}

ChannelCut cut_of(const BiasBackward& op) {
  return {op.batch, op.channels, op.volume, kElementThreads, 32 * kElementThreads, 512};
}

// dy: [N, C, S]; parts: [C, splits]; dbias: [C]
template <int kWidth>
__global__ void __launch_bounds__(kElementThreads)
    bias_backward_parts(ChannelCut cut, const float* dy, double* parts, float* dbias, bool aligned) {
  double sum = 0;
  each_unit<4>(
      cut, my_walk(cut), [&](std::int64_t at) { return load_unit<kWidth>(dy + at, aligned); },
      [&](std::int64_t, const Unit<kWidth>& unit) {
        for (float value : unit.v) sum += value;
      });
  sum = channel_sum(cut, sum, &shared_memory<double>());
  if (!is_speaker(cut)) return;
  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  if (cut.splits > 1) parts[c * cut.splits + blockIdx.y] = sum;
  if (cut.splits == 1) dbias[c] = static_cast<float>(sum);
}

/// A warp per channel.
__global__ void bias_backward_finish(const double* parts, float* dbias, unsigned splits) {
  double sum = 0;
  for (unsigned s = threadIdx.x; s < splits; s += kWarp) {
    sum += parts[static_cast<std::int64_t>(blockIdx.x) * splits + s];
  }
  sum = warp_sum(sum);
  if (threadIdx.x == 0) dbias[blockIdx.x] = static_cast<float>(sum);
}

void backward_split(const BiasBackward& op, Buffers buffers, void* workspace, Stream& stream) {
  const auto* dy = buffers.in(0);
  auto* dbias = buffers.out(1);
  auto* parts = static_cast<double*>(workspace);
  const ChannelCut cut = cut_of(op);
  launch(cut.width == 4 ? bias_backward_parts<4> : bias_backward_parts<1>, channel_grid(cut, 1),
         stream.native(), cut, dy, parts, dbias, aligned_to_16(dy));
  if (cut.splits == 1) return;
  launch(bias_backward_finish, Grid{{static_cast<unsigned>(op.channels)}, {kWarp}}, stream.native(), parts,
         dbias, cut.splits);
}

std::size_t split_workspace(const BiasBackward& op) {
  const ChannelCut cut = cut_of(op);
  return cut.splits == 1 ? 0 : static_cast<std::size_t>(op.channels) * cut.splits * sizeof(double);
}

}  // namespace

Kernel bias_forward_cuda_1_naive() {
  return make_kernel<BiasForward, forward_naive>();
}
Kernel bias_backward_cuda_1_naive() {
  return make_kernel<BiasBackward, backward_naive>();
}
Kernel bias_forward_cuda_2_channels() {
  return make_kernel<BiasForward, forward_channels, channel_declines<BiasForward>>();
}
Kernel bias_backward_cuda_2_split() {
  return make_kernel<BiasBackward, backward_split, channel_declines<BiasBackward>, split_workspace>();
}

}  // namespace umbra
