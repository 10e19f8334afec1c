// Shared by kernels over a ChannelCut: units of one or four numbers, loops that load several units before
// they use the first, and sums over the threads of a channel in an order that depends on the cut alone.
//
// Kernels are launched with channel_grid(): block x is a channel (or 32 of them), block y a split.
#pragma once

#include "engine/cuda/tile/block_fold.h"
#include "engine/cuda/tile/channel_cut.h"
#include "engine/cuda/tile/indexing.h"

namespace umbra {

template <int kWidth>
struct Unit {
  float v[kWidth];
};

__device__ inline Unit<4> unit_of(const float4& four) {
  return {four.x, four.y, four.z, four.w};
}

/// The unit at p. `aligned`: p is a multiple of 16 bytes; the result does not depend on it.
template <int kWidth>
__device__ Unit<kWidth> load_unit(const float* p, bool aligned) {
  Unit<kWidth> unit{};
  if constexpr (kWidth == 4) {
    if (aligned) return unit_of(*reinterpret_cast<const float4*>(p));
  }
  for (int k = 0; k < kWidth; ++k) unit.v[k] = p[k];
  return unit;
}

template <int kWidth>
__device__ void store_unit(float* p, const Unit<kWidth>& unit, bool aligned) {
  if constexpr (kWidth == 4) {
    if (aligned) {
      *reinterpret_cast<float4*>(p) = make_float4(unit.v[0], unit.v[1], unit.v[2], unit.v[3]);
      return;
    }
  }
  for (int k = 0; k < kWidth; ++k) p[k] = unit.v[k];
}

/// Calls use(at, load(at)) for every unit of this thread, after loading kAhead units, so that their latencies
/// overlap.
template <int kAhead, class Load, class Use>
__device__ void each_unit(const ChannelCut& cut, ChannelWalk walk, const Load& load, const Use& use) {
  while (walk.more()) {
    decltype(load(walk.at)) held[kAhead]{};
    ChannelWalk ahead = walk;
    for (int k = 0; k < kAhead; ++k) {
      if (ahead.more()) held[k] = load(ahead.at);
      cut.next(ahead);
    }
    for (int k = 0; k < kAhead; ++k) {
      if (walk.more()) use(walk.at, held[k]);
      cut.next(walk);
    }
  }
}

/// The sum of `value` over the threads of this thread's channel, returned in each of them. All threads of the
/// block must call it. scratch: ChannelCut::scratch() doubles, free again after the block's next barrier.
__device__ inline double channel_sum(const ChannelCut& cut, double value, double* scratch) {
  if (cut.lanes == 1) return block_sum(value, scratch);
  scratch[threadIdx.x] = value;
  __syncthreads();
  double sum = 0;
  for (unsigned t = threadIdx.x % kWarp; t < blockDim.x; t += kWarp) sum += scratch[t];
  return sum;
}

/// One block per channel (or 32) and split, with shared memory for `sums` different channel_sum()s.
inline Grid channel_grid(const ChannelCut& cut, std::size_t sums) {
  return {{cut.blocks(), cut.splits}, {cut.threads}, sums * cut.scratch() * sizeof(double)};
}

/// For kernels that sum nothing: blocks of 256 threads with two units of four each.
inline ChannelCut streaming_cut(std::int64_t outer, std::int64_t channels, std::int64_t inner) {
  constexpr std::int64_t kMostBlocksInY = 65535;
  return {outer, channels, inner, kElementThreads, 8 * kElementThreads, kMostBlocksInY};
}

__device__ inline ChannelWalk my_walk(const ChannelCut& cut) {
  return cut.walk(threadIdx.x, blockIdx.x, blockIdx.y);
}
/// Whether this thread writes the results of its channel of which there is one per channel.
__device__ inline bool is_speaker(const ChannelCut& cut) {
  return threadIdx.x < cut.lanes && cut.channel(threadIdx.x, blockIdx.x) < cut.channels;
}

}  // namespace umbra
