// Convolution, pooling, affine map and ReLU. A warp computes one row of outputs for 8 channels of 32
// samples, seven outputs at a time in 56 registers: 15 inputs and 6 broadcasts of four weights feed 168
// multiplications of a filter's row. It does so for the planes of a pooling window and pools along W and D
// at the same time; the rows' maxima are then combined in shared memory, where they are pooled along H. An
// output is therefore computed 1.5 times, for the windows of two planes, and once more where tiles overlap.
// The filters are multiplied by the sign of gamma, so that pooling is a maximum for either sign.
//
// Of equal values the first in row-major order wins: within a row this is the order of the loop, between
// rows the smaller code decides. Outputs that read no data are zero and are not computed.
#include <limits>

#include "engine/ops/stem/cuda_2_lanes.h"

namespace umbra {
namespace {

constexpr int kChannels = kStemTileChannels, kLanes = kStemLanes32;
constexpr int kPoolWarps = kStemPoolWarps;

/// The result of a warp for a row: for kWindows windows and kChannels channels the largest element so far,
/// and its code without the tap along H, a byte per window.
template <int kWindows>
struct RowMaxima {
  float best[kWindows][kChannels];
  unsigned codes[kChannels];
};

/// The position of a block: pooled plane, first window along H and W, first channel and group of samples.
struct Place {
  int qd, qh, qw, channel, group;
};

/// z = outputs kBegin..kEnd - 1 of a tile's row: the filters' rows that read data, one input channel after
/// the other. `column` is that of the tile's first output in the boxes, with the lane; weights [K][2
/// kTilesOfBlock] in fours.
template <int kOutputs>
__device__ __forceinline__ void convolve_row(const StemView& v, const StemBoxes& boxes, const float* column,
                                             const float4* weights, int fours, int od, int oh,
                                             float (&z)[kOutputs][kChannels]) {
  const StemAxisView &d = v.axis[0], &h = v.axis[1];
#pragma unroll
  for (int i = 0; i < kOutputs; ++i) {
#pragma unroll
    for (int r = 0; r < kChannels; ++r) z[i][r] = 0;
  }
  for (int ci = 0; ci < v.in_channels; ++ci) {
    for (int td = d.first_tap(od); td < d.last_tap(od); ++td) {
      for (int th = h.first_tap(oh); th < h.last_tap(oh); ++th) {
        const int line = (ci * d.in + d.start(od) + td) * h.in + h.start(oh) + th;
        const float* x = column + std::int64_t{1} * line * boxes.padded * kLanes;
        const float4* w = weights + ((td * 3 + th) * 3 * v.in_channels + ci) * fours;
        float value[2 * kOutputs + 1];
#pragma unroll
        for (int i = 0; i < 2 * kOutputs + 1; ++i) value[i] = x[i * kLanes];
#pragma unroll
        for (int tw = 0; tw < 3; ++tw, w += v.in_channels * fours) {
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

/// Pools row `oh` of a tile over the planes of its window. Of the outputs below the tile's windows those
/// before kBegin and from kEnd on read no data.
template <int kWindows, int kBegin, int kEnd>
__device__ __forceinline__ void pool_row(const StemView& v, const StemBoxes& boxes, const float* column,
                                         const float4* weights, int fours, const Place& at, int oh,
                                         RowMaxima<kWindows>& row) {
  const StemAxisView &d = v.axis[0], &w = v.axis[2];
#pragma unroll
  for (int r = 0; r < kChannels; ++r) {
#pragma unroll
    for (int m = 0; m < kWindows; ++m) row.best[m][r] = -std::numeric_limits<float>::infinity();
    row.codes[r] = 0;
  }
  for (int td = d.window_begin(at.qd); td < d.window_end(at.qd); ++td) {
    const int od = d.window(at.qd) + td, first = w.window(at.qw);
    float z[kEnd - kBegin][kChannels];
    convolve_row(v, boxes, column + 2 * kBegin * kLanes, weights, fours, od, oh, z);
#pragma unroll
    for (int m = 0; m < kWindows; ++m) {
#pragma unroll
      for (int t = 0; t < 3; ++t) {
        constexpr unsigned kByte = 0xff;
        const int i = 2 * m + t;
        if (first + i < 0 || first + i >= w.out) continue;  // padding of the pooling
        const unsigned code = static_cast<unsigned>(9 * td + t) << (8 * m);
#pragma unroll
        for (int r = 0; r < kChannels; ++r) {
          const float value = i >= kBegin && i < kEnd ? z[i >= kBegin && i < kEnd ? i - kBegin : 0][r] : 0;
          if (value > row.best[m][r] || value != value) {  // a NaN stays a NaN
            row.best[m][r] = value;
            row.codes[r] = (row.codes[r] & ~(kByte << (8 * m))) | code;
          }
        }
      }
    }
  }
}

/// The block's shared memory: weights [K][8 tiles], maxima [tile of channels][row][window][channel][lane],
/// codes [tile of channels][row][channel][lane].
struct PoolMemory {
  float *weights, *maxima;
  unsigned* codes;
};

/// Pools rows along H and writes y, a warp per window and channel.
template <int kWindows>
__device__ void finish_windows(const StemView& v, const StemPooling& plan, const StemPoolingBuffers& b,
                               const PoolMemory& memory, const Place& at, int first_row) {
  const StemAxisView &d = v.axis[0], &h = v.axis[1], &w = v.axis[2];
  const int lane = static_cast<int>(threadIdx.x % kWarp);
  const int zero_d = d.window_begin(at.qd);  // the first tap, for rows without data
  for (int item = static_cast<int>(threadIdx.x / kWarp);
       item < plan.tiles * kChannels * kWindows * kStemWindowsHigh; item += kPoolWarps) {
    const int r = item % kChannels, m = item / kChannels % kWindows;
    const int qh = at.qh + item / kChannels / kWindows % kStemWindowsHigh;
    const int tile = item / kChannels / kWindows / kStemWindowsHigh, c = at.channel + tile * kChannels + r;
    const int qw = at.qw + m, n = at.group * kLanes + lane;
    if (c >= v.channels || qh >= h.pooled || qw >= w.pooled) continue;
    float best = -std::numeric_limits<float>::infinity();
    unsigned of_best = kNoWinner;
    for (int t = h.window_begin(qh); t < h.window_end(qh); ++t) {
      const int oh = h.window(qh) + t, row = tile * plan.rows + oh - first_row;
      float value = 0;
      unsigned code = static_cast<unsigned>(9 * zero_d + w.window_begin(qw));
      if (h.lives(oh)) {
        value = memory.maxima[((row * kWindows + m) * kChannels + r) * kLanes + lane];
        code = memory.codes[(row * kChannels + r) * kLanes + lane] >> (8 * m) & 0xffu;
      }
      code += static_cast<unsigned>(3 * t);
      if (value > best || value != value || (value == best && code < of_best)) {
        best = value;
        of_best = code;
      }
    }
    const float affine = (best - b.shift[c]) * b.scale[c] + b.beta[c];
    if (n >= v.batch) continue;
    const std::int64_t q = (std::int64_t{1} * at.qd * h.pooled + qh) * w.pooled + qw;
    const std::int64_t e = (q * v.channels + c) * v.batch + n;
    b.y[e] = affine <= 0 ? 0 : affine;  // a NaN stays a NaN
    if (b.winner != nullptr) b.winner[e] = affine > 0 ? static_cast<std::uint8_t>(of_best) : kNoWinner;
  }
}

/// kMirrored: StemPooling::mirrored, with four windows of a row per warp; else three.
template <bool kMirrored>
__global__ void __launch_bounds__(kPoolWarps* kWarp, 1)
    pool_tile(StemView v, StemBoxes boxes, StemPooling plan, StemPoolingBuffers b) {
  constexpr int kWindows = kMirrored ? 4 : 3;
  const int block_channels = plan.tiles * kChannels, fours = block_channels / 4;
  PoolMemory memory;
  memory.weights = &shared_memory<float>();
  memory.maxima = memory.weights + v.patch * block_channels;
  memory.codes = reinterpret_cast<unsigned*>(memory.maxima + block_channels * plan.rows * kWindows * kLanes);
  const int tile = static_cast<int>(blockIdx.y), tiles = plan.high * plan.wide;
  const Place at{from_the_middle(tile / tiles, v.axis[0].pooled), tile % tiles / plan.wide * kStemWindowsHigh,
                 tile % plan.wide * kWindows, static_cast<int>(blockIdx.x) * block_channels,
                 static_cast<int>(blockIdx.z)};
  for (int i = static_cast<int>(threadIdx.x); i < v.patch * block_channels; i += kPoolWarps * kLanes) {
    const int c = at.channel + i % block_channels;
    const float gamma = c < v.channels ? b.gamma[c] : 0, sign = gamma > 0 ? 1.0f : gamma < 0 ? -1.0f : 0.0f;
    memory.weights[i] = c < v.channels ? sign * b.w[i / block_channels * v.channels + c] : 0;
  }
  __syncthreads();
  const StemAxisView &h = v.axis[1], &w = v.axis[2];
  const int first_row = h.window(at.qh) > h.live_begin ? h.window(at.qh) : h.live_begin;
  const int behind = h.window(at.qh) + 2 * kStemWindowsHigh + 1,
            end_row = behind < h.live_end ? behind : h.live_end;
  const int warp = static_cast<int>(threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x % kWarp);
  const int left = stem_tiles(v.channels - at.channel, kChannels),
            parts = left < plan.tiles ? left : plan.tiles;
  const float* column =
      b.boxes + (std::int64_t{1} * at.group * boxes.rows * boxes.padded + 4 * at.qw) * kLanes + lane;
  for (int job = warp; job < parts * (end_row - first_row); job += kPoolWarps) {  // neighbours share inputs
    const int part = job % parts, oh = first_row + job / parts;
    const float4* weights = reinterpret_cast<const float4*>(memory.weights) + part * kChannels / 4;
    RowMaxima<kWindows> row;
    if constexpr (!kMirrored) pool_row<3, 0, 7>(v, boxes, column, weights, fours, at, oh, row);
    if constexpr (kMirrored) {
      if (w.live_begin - w.window(at.qw) >= 2) {
        pool_row<4, 2, 9>(v, boxes, column, weights, fours, at, oh, row);
      } else {
        pool_row<4, 0, 7>(v, boxes, column, weights, fours, at, oh, row);
      }
    }
    const int to = part * plan.rows + oh - first_row;
#pragma unroll
    for (int r = 0; r < kChannels; ++r) {
#pragma unroll
      for (int m = 0; m < kWindows; ++m)
        memory.maxima[((to * kWindows + m) * kChannels + r) * kLanes + lane] = row.best[m][r];
      memory.codes[(to * kChannels + r) * kLanes + lane] = row.codes[r];
    }
  }
  __syncthreads();
  finish_windows<kWindows>(v, plan, b, memory, at, first_row);
  const bool last = tile == 0 && at.channel == 0 && at.group == 0 && threadIdx.x < (4 - v.elements % 4) % 4;
  if (last && b.winner != nullptr) b.winner[v.elements + threadIdx.x] = 0;
}

}  // namespace

void stem_pool_cuda(const StemView& v, const StemBoxes& boxes, const StemPooling& plan,
                    const StemPoolingBuffers& b, Stream& stream) {
  const Grid grid{{static_cast<unsigned>(plan.blocks_of_channels), static_cast<unsigned>(plan.blocks(v)),
                   static_cast<unsigned>(boxes.groups)},
                  {kPoolWarps * kWarp},
                  static_cast<std::size_t>(plan.bytes(v))};
  launch(plan.mirrored ? pool_tile<true> : pool_tile<false>, grid, stream.native(), v, boxes, plan, b);
}

}  // namespace umbra
