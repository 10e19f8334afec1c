// Inference with blocks that stay in one channel (or 32 of them, one per lane): a thread computes its map
// once and then streams units of four. Nothing is summed and the kernel only moves memory.
#include "engine/ops/batch_norm/cuda_arithmetic.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

template <int kWidth>
__global__ void __launch_bounds__(kBatchNormThreads)
    batch_norm_inference_channels(ChannelCut cut, BatchNormInferenceArguments a, bool aligned) {
  const ChannelWalk walk = my_walk(cut);
  if (!walk.more()) return;
  const ChannelMap map = running_map(a, cut.channel(threadIdx.x, blockIdx.x));
  each_unit<2>(
      cut, walk, [&](std::int64_t at) { return load_forward<kWidth>(a, at, aligned); },
      [&](std::int64_t at, const ForwardUnit<kWidth>& in) { store_forward(a, map, at, in, aligned); });
}

void inference(const BatchNormInference& op, Buffers buffers, void*, Stream& stream) {
  const BatchNormInferenceArguments a = arguments_of(op, buffers);
  const ChannelCut cut = streaming_cut(op.outer, op.channels, op.inner);
  launch(cut.width == 4 ? batch_norm_inference_channels<4> : batch_norm_inference_channels<1>,
         channel_grid(cut, 0), stream.native(), cut, a, a.aligned());
}

std::string declines(const BatchNormInference& op) {
  return ChannelCut::declines(op.outer, op.inner);
}

}  // namespace

Kernel batch_norm_inference_cuda_2_channels() {
  return make_kernel<BatchNormInference, inference, declines>();
}

}  // namespace umbra
