// Convolution, pooling, affine map and ReLU. A warp computes one row of outputs for 8 channels of 32
// samples, seven outputs at a time in 56 registers: 15 inputs and 6 broadcasts of four weights feed 168
// multiplications of a filter's row. A block has a warp for every row below its pooling windows and walks
// through the planes, each of which it computes once: a warp pools its row along W in registers and along D in
// shared memory, and where windows end along D, the warps pool the rows along H. The plane at the end of
// windows begins the next ones. An output is computed again only where tiles of windows overlap.
// The filters are multiplied by the sign of gamma, so that pooling is a maximum for either sign.
//
// Of equal values the first in row-major order wins: within a row this is the order of the loop, between
// rows the smaller code decides. Outputs that read no data are zero and are not computed.
#include <limits>

#include "engine/cuda/tile/block_fold.h"
#include "engine/ops/stem/cuda_2_lanes.h"

namespace umbra {
namespace {

constexpr int kChannels = kStemTileChannels, kLanes = kStemLanes32;
constexpr int kMostThreads = kStemPoolRows * kLanes, kFours = kChannels / 4;

/// The position of a block: pooled planes, first window along H and W, rows of outputs that read data, first
/// channel and group of samples.
struct Place {
  __device__ Place(const StemView& v, const StemPooling& plan)
      : channel(static_cast<int>(blockIdx.x) * kChannels), group(static_cast<int>(blockIdx.z)) {
    const StemAxisView& h = v.axis[1];
    const int tile = static_cast<int>(blockIdx.y), wide = plan.wide, high = plan.high;
    qw = tile % wide * plan.windows;
    qh = tile / wide % high * plan.windows_high;
    qd = tile / wide / high * plan.windows_deep;
    end_qd = min_of(qd + plan.windows_deep, v.axis[0].pooled);
    first_row = h.window(qh) > h.live_begin ? h.window(qh) : h.live_begin;
    end_row = min_of(h.window(qh) + 2 * plan.windows_high + 1, h.live_end);
  }
  static __device__ int min_of(int a, int b) { return a < b ? a : b; }
  int qd, end_qd, qh, qw, first_row, end_row, channel, group;
};

/// z = outputs kBegin..kEnd - 1 of a tile's row: the filters' rows that read data, one input channel after
/// the other. `column` is that of the tile's first output in the boxes, with the lane; weights [K][8] in
/// fours.
template <int kOutputs>
__device__ __forceinline__ void convolve_row(const StemView& v, const StemBoxes& boxes, const float* column,
                                             const float4* weights, int od, int oh,
                                             float (&z)[kOutputs][kChannels]) {
  const StemAxisView &d = v.axis[0], &h = v.axis[1];
#pragma unroll
  for (int i = 0; i < kOutputs; ++i) {
#pragma unroll
    for (int r = 0; r < kChannels; ++r) z[i][r] = 0;
  }
  const int first = h.first_tap(oh), end = h.last_tap(oh), row = boxes.padded * kLanes;
  for (int ci = 0; ci < v.in_channels; ++ci) {
    for (int td = d.first_tap(od); td < d.last_tap(od); ++td) {
      const float* x = column + ((ci * d.in + d.start(od) + td) * h.in + h.start(oh) + first) * row;
      const float4* w = weights + ((td * 3 + first) * 3 * v.in_channels + ci) * kFours;
      for (int th = first; th < end; ++th, x += row) {
        float value[2 * kOutputs + 1];
#pragma unroll
        for (int i = 0; i < 2 * kOutputs + 1; ++i) value[i] = x[i * kLanes];
#pragma unroll
        for (int tw = 0; tw < 3; ++tw, w += v.in_channels * kFours) {
          const float4 a = w[0], b = w[1];
#pragma unroll
          for (int i = 0; i < kOutputs; ++i) {
            const float from = value[2 * i + tw];
            z[i][0] += a.x * from, z[i][1] += a.y * from, z[i][2] += a.z * from, z[i][3] += a.w * from;
            z[i][4] += b.x * from, z[i][5] += b.y * from, z[i][6] += b.z * from, z[i][7] += b.w * from;
          }
        }
      }
    }
  }
}

/// The block's shared memory: weights [K][8], shift [8] and scale [8], and two halves, for the windows that
/// begin and for those that end: of every row maxima [row][window][channel][lane] and, without the tap along
/// H, the codes of their elements [row][channel][lane][4]. Registers are scarce, so addresses are computed
/// where they are needed.
struct PoolMemory {
  __device__ float* weights() const { return &shared_memory<float>(); }
  __device__ float* affine() const { return weights() + patch * kChannels; }
  __device__ float* maxima(int half) const {
    return affine() + (2 + half * rows * (windows + 1) * kLanes) * kChannels;
  }
  __device__ std::uint8_t* codes(int half) const {
    return reinterpret_cast<std::uint8_t*>(maxima(half) + rows * windows * kLanes * kChannels);
  }
  int patch, rows, windows;
};

/// Takes the outputs of a plane into the maxima of a row; the plane is the first of the windows, or number td.
/// Of the outputs below the windows, which begin at `begin` along W, those before kBegin and from kEnd on read
/// no data.
template <int kWindows, int kBegin, int kEnd>
__device__ __forceinline__ void take_plane(const PoolMemory& memory, int half, const StemAxisView& w,
                                           int begin, int td, bool first,
                                           const float (&z)[kEnd - kBegin][kChannels]) {
  const unsigned row = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  float* maxima = memory.maxima(half) + row * kWindows * kChannels * kLanes + lane;
  std::uint8_t* codes = memory.codes(half) + (row * kChannels * kLanes + lane) * 4;
#pragma unroll
  for (int m = 0; m < kWindows; ++m) {
#pragma unroll
    for (int r = 0; r < kChannels; ++r) {
      float best = -std::numeric_limits<float>::infinity();
      int tap = 0;
#pragma unroll
      for (int t = 0; t < 3; ++t) {
        const int i = 2 * m + t;
        if (begin + i < 0 || begin + i >= w.out) continue;  // padding of the pooling
        const float value = i >= kBegin && i < kEnd ? z[i >= kBegin && i < kEnd ? i - kBegin : 0][r] : 0;
        if (value > best || value != value) {  // a NaN stays a NaN
          best = value;
          tap = t;
        }
      }
      float& of_row = maxima[(m * kChannels + r) * kLanes];
      if (first || best > of_row || best != best) {
        of_row = best;
        codes[r * kLanes * 4 + m] = static_cast<std::uint8_t>(9 * td + tap);
      }
    }
  }
}

/// Pools the rows along H for pooled plane qd and writes y, a warp per row of windows and channel.
template <int kWindows>
__device__ void finish_windows(const StemView& v, const StemPooling& plan, const StemPoolingBuffers& b,
                               const PoolMemory& memory, int half, const Place& at, int qd) {
  const StemAxisView &d = v.axis[0], &h = v.axis[1], &w = v.axis[2];
  const int lane = static_cast<int>(threadIdx.x % kWarp), n = at.group * kLanes + lane;
  const int zero_d = d.window_begin(qd);  // the first tap, for rows without data
  for (int item = static_cast<int>(threadIdx.x / kWarp); item < plan.windows_high * kChannels;
       item += static_cast<int>(blockDim.x / kWarp)) {
    const int r = item % kChannels, qh = at.qh + item / kChannels, c = at.channel + r;
    if (c >= v.channels || qh >= h.pooled) continue;
    float best[kWindows];
    unsigned of_best[kWindows];
#pragma unroll
    for (int m = 0; m < kWindows; ++m)
      best[m] = -std::numeric_limits<float>::infinity(), of_best[m] = kNoWinner;
    for (int t = h.window_begin(qh); t < h.window_end(qh); ++t) {
      const int oh = h.window(qh) + t, row = oh - at.first_row;
      const bool data = h.lives(oh);
      const unsigned codes =
          data ? reinterpret_cast<const unsigned*>(memory.codes(half))[(row * kChannels + r) * kLanes + lane]
               : 0;
#pragma unroll
      for (int m = 0; m < kWindows; ++m) {
        const float value =
            data ? memory.maxima(half)[((row * kWindows + m) * kChannels + r) * kLanes + lane] : 0;
        const unsigned zero = static_cast<unsigned>(9 * zero_d + w.window_begin(at.qw + m));
        const unsigned code = (data ? codes >> (8 * m) & 0xffu : zero) + static_cast<unsigned>(3 * t);
        if (value > best[m] || value != value || (value == best[m] && code < of_best[m])) {
          best[m] = value;
          of_best[m] = code;
        }
      }
    }
    const float shift = memory.affine()[r], scale = memory.affine()[kChannels + r], beta = b.beta[c];
    const std::int64_t q = (std::int64_t{1} * qd * h.pooled + qh) * w.pooled + at.qw;
#pragma unroll
    for (int m = 0; m < kWindows; ++m) {
      if (n >= v.batch || at.qw + m >= w.pooled) continue;
      const float affine = (best[m] - shift) * scale + beta;
      const std::int64_t e = ((q + m) * v.channels + c) * v.batch + n;
      b.y[e] = affine <= 0 ? 0 : affine;  // a NaN stays a NaN
      if (b.winner != nullptr) b.winner[e] = affine > 0 ? static_cast<std::uint8_t>(of_best[m]) : kNoWinner;
    }
  }
}

/// Walks through the planes below the block's windows.
template <int kWindows, int kBegin, int kEnd>
__device__ __forceinline__ void walk(const StemView& v, const StemBoxes& boxes, const StemPooling& plan,
                                     const StemPoolingBuffers& b, const PoolMemory& memory, const Place& at) {
  const StemAxisView &d = v.axis[0], &w = v.axis[2];
  const int lane = static_cast<int>(threadIdx.x % kWarp), begin = w.window(at.qw);
  const int oh = at.first_row + static_cast<int>(threadIdx.x / kWarp);
  const float* column =
      b.boxes + (std::int64_t{1} * at.group * boxes.rows * boxes.padded + 4 * at.qw + 2 * kBegin) * kLanes +
      lane;
  const float4* weights = reinterpret_cast<const float4*>(memory.weights());
  int half = 0;
  for (int qd = at.qd, od = d.window(qd) + d.window_begin(qd); qd < at.end_qd; ++od) {
    const bool works = oh < at.end_row && od < d.out;
    const int td = od - d.window(qd);
    float z[kEnd - kBegin][kChannels];
    if (works) convolve_row(v, boxes, column, weights, od, oh, z);
    const bool ends = td == 2;
#pragma unroll 1
    for (int next = 0; next <= static_cast<int>(ends); ++next) {  // the windows, and those that begin here
      if (next == 1)
        __syncthreads();  // every row has been stored, and all have read what is in the other half
      const int number = next == 1 ? 0 : td;
      const bool first = next == 1 || td == d.window_begin(qd);
      if (works) take_plane<kWindows, kBegin, kEnd>(memory, half ^ next, w, begin, number, first, z);
    }
    if (!ends) continue;
    finish_windows<kWindows>(v, plan, b, memory, half, at, qd++);
    half = 1 - half;
  }
}

/// Stores the affine map of the block's channels, y = relu((max of sign(gamma) z - shift) scale + beta), a
/// warp per channel.
__device__ void set_affine(const StemView& v, const StemPoolingBuffers& b, const StemStatistics& from,
                           const PoolMemory& memory, const Place& at) {
  const int lane = static_cast<int>(threadIdx.x % kWarp);
  for (int r = static_cast<int>(threadIdx.x / kWarp); r < kChannels;
       r += static_cast<int>(blockDim.x / kWarp)) {
    const int c = at.channel + r;
    if (c >= v.channels) return;
    double mean = 0, variance = 0;
    if (from.mu == nullptr) {
      mean = static_cast<double>(from.running_mean[c]), variance = static_cast<double>(from.running_var[c]);
    } else {
      for (int k = lane; k < v.patch; k += kLanes) {
        const double weight = static_cast<double>(b.w[k * v.channels + c]);
        mean += weight * from.mu[k];
        variance += weight * stem_cov_dot(v.patch, v.channels, b.w, c, from.cov, k);
      }
      mean = warp_sum(mean), variance = warp_sum(variance);
      variance = variance < 0 ? 0 : variance;  // by rounding
    }
    if (lane != 0) continue;
    const bool stores = from.mu != nullptr && blockIdx.y + blockIdx.z == 0;
    const double inverse = stores ? from.moments.set(c, mean, variance) : from.moments.inverse_of(variance);
    const double gamma = static_cast<double>(b.gamma[c]), sign = gamma > 0 ? 1 : gamma < 0 ? -1 : 0;
    memory.affine()[r] = static_cast<float>(sign * mean);
    memory.affine()[kChannels + r] = static_cast<float>(sign * gamma * inverse);
  }
}

/// kMirrored: StemPooling::mirrored, with four windows of a row per warp; else three.
template <bool kMirrored>
__global__ void __launch_bounds__(kMostThreads, 1)
    pool_tile(StemView v, StemBoxes boxes, StemPooling plan, StemPoolingBuffers b,
              StemStatistics statistics) {
  const Place at(v, plan);
  const PoolMemory memory{v.patch, plan.rows, plan.windows};
  for (int i = static_cast<int>(threadIdx.x); i < v.patch * kChannels; i += static_cast<int>(blockDim.x)) {
    const int c = at.channel + i % kChannels;
    const float gamma = c < v.channels ? b.gamma[c] : 0, sign = gamma > 0 ? 1.0f : gamma < 0 ? -1.0f : 0.0f;
    memory.weights()[i] = c < v.channels ? sign * b.w[i / kChannels * v.channels + c] : 0;
  }
  set_affine(v, b, statistics, memory, at);
  __syncthreads();
  const StemAxisView& w = v.axis[2];
  if constexpr (!kMirrored) walk<3, 0, 7>(v, boxes, plan, b, memory, at);
  if constexpr (kMirrored) {
    if (w.live_begin - w.window(at.qw) >= 2) {
      walk<4, 2, 9>(v, boxes, plan, b, memory, at);
    } else {
      walk<4, 0, 7>(v, boxes, plan, b, memory, at);
    }
  }
  const bool first = blockIdx.x + blockIdx.y + blockIdx.z == 0 && threadIdx.x < (4 - v.elements % 4) % 4;
  if (first && b.winner != nullptr) b.winner[v.elements + threadIdx.x] = 0;
}

}  // namespace

void stem_pool_cuda(const StemView& v, const StemBoxes& boxes, const StemPooling& plan,
                    const StemPoolingBuffers& b, const StemStatistics& statistics, Stream& stream) {
  const Grid grid{{static_cast<unsigned>(stem_tiles(v.channels, kChannels)),
                   static_cast<unsigned>(plan.blocks()), static_cast<unsigned>(boxes.groups)},
                  {static_cast<unsigned>(plan.rows) * kWarp},
                  static_cast<std::size_t>(plan.bytes(v))};
  launch(plan.mirrored ? pool_tile<true> : pool_tile<false>, grid, stream.native(), v, boxes, plan, b,
         statistics);
}

}  // namespace umbra
