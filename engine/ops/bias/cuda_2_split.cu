// Backward: every channel is cut into ranges with a block each; the ranges' sums go to the workspace and a
// second launch adds them in order. A channel of one range is done in one launch.
#include "engine/cuda/channel_walk.h"
#include "engine/ops/bias/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

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

}  // namespace

void bias_backward_cuda_2_split(const BiasBackward& op, Buffers buffers, void* workspace, Stream& stream) {
  const auto* dy = static_cast<const float*>(buffers[0]);
  auto* dbias = static_cast<float*>(buffers[1]);
  auto* parts = static_cast<double*>(workspace);
  const ChannelCut cut = cut_of(op);
  launch(cut.width == 4 ? bias_backward_parts<4> : bias_backward_parts<1>, channel_grid(cut, 1),
         stream.native(), cut, dy, parts, dbias, aligned_to_16(dy));
  if (cut.splits == 1) return;
  launch(bias_backward_finish, Grid{{static_cast<unsigned>(op.channels)}, {kWarp}}, stream.native(), parts,
         dbias, cut.splits);
}

std::size_t bias_backward_cuda_2_workspace(const BiasBackward& op) {
  const ChannelCut cut = cut_of(op);
  return cut.splits == 1 ? 0 : static_cast<std::size_t>(op.channels) * cut.splits * sizeof(double);
}

}  // namespace umbra
