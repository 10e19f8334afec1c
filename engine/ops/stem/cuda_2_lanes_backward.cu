// Sums of dz times the patch over the winners. A block holds the inputs below two by two pooling windows,
// of 32 samples, in shared memory; lanes are samples, so that whatever tap a lane's winner is, its inputs
// are in its own bank, and dy and winners are read in whole lines. A warp processes a channel: 27 sums over
// the windows in registers, which are then summed over the lanes with 31 exchanges. A second kernel adds
// the blocks' sums in order and applies the equations of op.h.
#include "engine/cuda/tile/block_fold.h"
#include "engine/ops/stem/cuda_2_lanes.h"

namespace umbra {
namespace {

constexpr int kLanes = kStemLanes32, kTaps = 27;
constexpr int kWindows = kStemBackwardWindows;
constexpr int kDeep = 7, kAcross = 4 * (kWindows - 1) + 7;   // inputs below the windows
constexpr int kRegion = kDeep * kAcross * kAcross * kLanes;  // floats
constexpr int kWarps = 32, kFinishWarps = 8;

/// Loads the inputs below the windows (qd, qh, qw) and their neighbours, zeros for padding: region
/// [7][11][11][32].
__device__ void stage_region(const StemView& v, const StemBoxes& boxes, const float* packed, int ci, int qd,
                             int qh, int qw, float* region) {
  constexpr int kFours = kAcross * kLanes / 4;  // of a row
  const StemAxisView &d = v.axis[0], &h = v.axis[1];
  const int first_d = d.start(d.window(qd)), first_h = h.start(h.window(qh));
  float4* to = reinterpret_cast<float4*>(region);
#pragma unroll
  for (int step = 0; step < stem_tiles(kRegion / 4, kWarps * kLanes); ++step) {
    const int i = step * kWarps * kLanes + static_cast<int>(threadIdx.x);
    const int row = i / kFours, in_d = first_d + row / kAcross, in_h = first_h + row % kAcross;
    const bool data = in_d >= 0 && in_d < d.in && in_h >= 0 && in_h < h.in;
    const std::int64_t line = std::int64_t{1} * blockIdx.z * boxes.rows + (ci * d.in + in_d) * h.in + in_h;
    const float* from = packed + (line * boxes.padded + 4 * qw) * kLanes;
    if (i < kRegion / 4)
      to[i] = data ? reinterpret_cast<const float4*>(from)[i % kFours] : make_float4(0, 0, 0, 0);
  }
}

/// sums [block][Cin][C][32]: 27 sums of dz times the patch, the sum of dz, and zeros.
__global__ void __launch_bounds__(kWarps* kLanes, 1)
    sum_winners(StemView v, StemBoxes boxes, const float* packed, const float* dy, const std::uint8_t* winner,
                float* sums) {
  float* region = &shared_memory<float>();
  const int wide = stem_tiles(v.axis[2].pooled, kWindows), high = stem_tiles(v.axis[1].pooled, kWindows);
  const int tile = static_cast<int>(blockIdx.x), ci = static_cast<int>(blockIdx.y);
  const int qw = tile % wide * kWindows, qh = tile / wide % high * kWindows, qd = tile / wide / high;
  stage_region(v, boxes, packed, ci, qd, qh, qw, region);
  __syncthreads();
  const int lane = static_cast<int>(threadIdx.x % kWarp), n = static_cast<int>(blockIdx.z) * kLanes + lane;
  const std::int64_t block = std::int64_t{1} * blockIdx.z * gridDim.x + blockIdx.x;
  for (int c = static_cast<int>(threadIdx.x / kWarp); c < v.channels; c += kWarps) {
    float gradient[kWindows * kWindows];
    int code[kWindows * kWindows];
#pragma unroll
    for (int j = 0; j < kWindows * kWindows; ++j) {
      const int h = qh + j / kWindows, w = qw + j % kWindows;
      const bool inside = h < v.axis[1].pooled && w < v.axis[2].pooled && n < v.batch;
      const std::int64_t q = (std::int64_t{1} * qd * v.axis[1].pooled + h) * v.axis[2].pooled + w;
      const std::int64_t e = (q * v.channels + c) * v.batch + n;
      code[j] = inside ? winner[e] : kNoWinner;
      gradient[j] = inside ? dy[e] : 0;
    }
    float sum[kLanes] = {};
#pragma unroll
    for (int j = 0; j < kWindows * kWindows; ++j) {
      const bool won = code[j] != kNoWinner;
      const int tap = won ? code[j] : 0, td = tap / 9, th = tap / 3 % 3, tw = tap % 3;
      const float dz = won ? gradient[j] : 0;
      const float* x =
          region +
          (((2 * td) * kAcross + 2 * th + j / kWindows * 4) * kAcross + 2 * tw + j % kWindows * 4) * kLanes +
          lane;
#pragma unroll
      for (int k = 0; k < kTaps; ++k)
        sum[k] += dz * x[((k / 9 * kAcross + k / 3 % 3) * kAcross + k % 3) * kLanes];
      sum[kTaps] += dz;
    }
    sums[((block * v.in_channels + ci) * v.channels + c) * kLanes + lane] = warp_sums(sum);
  }
}

/// The gradients of channel blockIdx.x. Shared memory: a double per warp and lane, then K of them and one.
__global__ void __launch_bounds__(kFinishWarps* kLanes)
    finish_channel(StemView v, StemGradients b, const float* sums, int blocks) {
  double* scratch = &shared_memory<double>();
  double* total = scratch + kFinishWarps * kLanes;  // [K + 1]
  const int c = static_cast<int>(blockIdx.x), lane = static_cast<int>(threadIdx.x % kWarp);
  const int warp = static_cast<int>(threadIdx.x / kWarp);
  for (int ci = 0; ci < v.in_channels; ++ci) {
    double sum = 0;
    for (int block = warp; block < blocks; block += kFinishWarps) {
      const std::int64_t row = (std::int64_t{1} * block * v.in_channels + ci) * v.channels + c;
      sum += static_cast<double>(sums[row * kLanes + lane]);
    }
    scratch[threadIdx.x] = sum;
    __syncthreads();
    if (warp == 0) {
      for (int other = 1; other < kFinishWarps; ++other) sum += scratch[other * kLanes + lane];
      if (lane < kTaps) total[lane * v.in_channels + ci] = sum;
      if (lane == kTaps && ci == 0) total[v.patch] = sum;
    }
    __syncthreads();
  }
  double of_sums = 0, of_means = 0;
  for (int k = lane; k < v.patch; k += kLanes) {
    const double weight = static_cast<double>(b.w[k * v.channels + c]);
    of_sums += weight * total[k];
    of_means += weight * b.mu[k];
  }
  const StemChannelGradients gradients(static_cast<double>(b.gamma[c]), static_cast<double>(b.mean[c]),
                                       static_cast<double>(b.invstd[c]), total[v.patch], warp_sum(of_sums),
                                       warp_sum(of_means));
  for (int k = static_cast<int>(threadIdx.x); k < v.patch; k += kFinishWarps * kLanes) {
    const double cov_dot = stem_cov_dot(v.patch, v.channels, b.w, c, b.cov, k);
    b.dw[k * v.channels + c] = static_cast<float>(gradients.weight(total[k], b.mu[k], cov_dot));
  }
  if (threadIdx.x != 0) return;
  b.dgamma[c] = static_cast<float>(gradients.sum_xhat);
  b.dbeta[c] = static_cast<float>(gradients.sum);
}

}  // namespace

std::int64_t stem_backward_shared() {
  return std::int64_t{kRegion} * static_cast<std::int64_t>(sizeof(float));
}
std::int64_t stem_backward_tiles(const StemView& v) {
  return std::int64_t{1} * v.axis[0].pooled * stem_tiles(v.axis[1].pooled, kWindows) *
         stem_tiles(v.axis[2].pooled, kWindows);
}
std::int64_t stem_backward_floats(const StemView& v) {
  return stem_backward_tiles(v) * stem_tiles(v.batch, kLanes) * v.in_channels * v.channels * kLanes;
}

void stem_backward_cuda(const StemView& v, const StemBoxes& boxes, const float* packed, const float* dy,
                        const std::uint8_t* winner, float* sums, const StemGradients& gradients,
                        Stream& stream) {
  const auto tiles = static_cast<unsigned>(stem_backward_tiles(v)),
             groups = static_cast<unsigned>(boxes.groups);
  launch(
      sum_winners,
      Grid{{tiles, static_cast<unsigned>(v.in_channels), groups}, {kWarps * kLanes}, kRegion * sizeof(float)},
      stream.native(), v, boxes, packed, dy, winner, sums);
  const std::size_t doubles = kFinishWarps * kLanes + static_cast<std::size_t>(v.patch) + 1;
  launch(finish_channel,
         Grid{{static_cast<unsigned>(v.channels)}, {kFinishWarps * kLanes}, doubles * sizeof(double)},
         stream.native(), v, gradients, sums, static_cast<int>(tiles * groups));
}

}  // namespace umbra
