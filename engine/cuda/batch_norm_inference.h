// Batch normalisation with known statistics, [outer, C, inner]: nothing is summed and the kernels only move
// memory. Naive: one thread per number, which looks up its channel and takes a root of its own. Channels: a
// block stays in one channel (or 32 of them, one per lane), so that a thread finds its map once and then
// streams units of four.
#pragma once

#include "engine/cuda/batch_norm.h"

namespace umbra {

/// A template, like its fellows, only to be one function in every file that includes it.
template <class Arguments>
__global__ void batch_norm_inference_each(Arguments a, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const ChannelMap map = running_map(a, i / a.shape.inner % a.shape.channels);
  a.y[i] = normalised(map, a.x[i], a.residual != nullptr ? a.residual[i] : 0, a.relu);
}

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

inline void batch_norm_inference_naive(const BatchNormInferenceArguments& a, Stream& stream) {
  const std::int64_t count = a.shape.outer * a.shape.channels * a.shape.inner;
  launch(batch_norm_inference_each<BatchNormInferenceArguments>, one_thread_each(count), stream.native(), a,
         count);
}

inline void batch_norm_inference_by_channels(const BatchNormInferenceArguments& a, Stream& stream) {
  const ChannelCut cut = streaming_cut(a.shape.outer, a.shape.channels, a.shape.inner);
  launch(cut.width == 4 ? batch_norm_inference_channels<4> : batch_norm_inference_channels<1>,
         channel_grid(cut, 0), stream.native(), cut, a, a.aligned());
}

}  // namespace umbra
