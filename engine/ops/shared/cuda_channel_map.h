// y[o, c, i] = f_c(x[o, c, i]): a thread stays in its channel (channel_cut.h). The channel's parameters are
// therefore loaded once, no index is divided per element, and neighbouring threads access neighbouring
// addresses.
#pragma once

#include "engine/cuda/tile/channel_walk.h"
#include "engine/runtime/stream.h"

namespace umbra {

template <int kWidth, class F>
__global__ void __launch_bounds__(kElementThreads)
    channel_map(ChannelCut cut, F f, const float* x, float* y, bool aligned) {
  const ChannelWalk walk = my_walk(cut);
  if (!walk.more()) return;
  const auto of_channel = f.of(cut.channel(threadIdx.x, blockIdx.x));
  each_unit<2>(
      cut, walk,
      [&](std::int64_t at) { return x != nullptr ? load_unit<kWidth>(x + at, aligned) : Unit<kWidth>{}; },
      [&](std::int64_t at, Unit<kWidth> unit) {
        for (float& value : unit.v) value = of_channel(value);
        store_unit(y + at, unit, aligned);
      });
}

/// Launches y = f.of(c)(x) on [outer, C, inner]; with a null x the values are 0.
template <class F>
void map_channels(const F& f, std::int64_t outer, std::int64_t channels, std::int64_t inner,
                  const Stream& stream, const float* x, float* y) {
  const ChannelCut cut = streaming_cut(outer, channels, inner);
  launch(cut.width == 4 ? channel_map<4, F> : channel_map<1, F>, channel_grid(cut, 0), stream.native(), cut,
         f, x, y, aligned_to_16(x, y));
}

}  // namespace umbra
