// Mean and covariance of the patches: for every pair of chunks (three taps each) a warp sums the nine
// products over the outputs, in double, where a product of two floats is exact: six loads for nine
// products. Blocks process a few planes of one sample; a second kernel adds their sums in order and
// subtracts the squared mean, which costs no digits that a float has.
#include "engine/cuda/tile/block_fold.h"
#include "engine/ops/stem/cuda_2_lanes.h"

namespace umbra {
namespace {

constexpr int kGramWarps = 15;  // a third of the pairs of one input channel
constexpr int kReduceWarps = 8;

/// Loads the inputs under the outputs of `planes` planes from the block's first into shared memory, zeros
/// for padding. A thread issues several loads before it waits for the first.
__device__ void stage_inputs(const StemView& v, const StemGram& gram, const float* x, int n, int plane,
                             float* staged) {
  constexpr int kAtOnce = 4;
  const StemAxisView &d = v.axis[0], &h = v.axis[1], &w = v.axis[2];
  const int depth = 2 * gram.planes + 1, columns = 2 * gram.width + 1,
            rows = v.in_channels * depth * gram.lines;
  const int first_d = d.start(d.live_begin + plane), first_h = h.start(h.live_begin),
            first_w = w.start(w.live_begin);
  const int warp = static_cast<int>(threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x % kWarp);
  const auto number = [&](int row, int c) -> float {
    const int j = first_h + row % gram.lines, i = first_d + row / gram.lines % depth,
              ci = row / gram.lines / depth;
    const bool inside = i >= 0 && i < d.in && j >= 0 && j < h.in && first_w + c >= 0 && first_w + c < w.in;
    if (row >= rows || !inside) return 0;
    return x[(((std::int64_t{1} * n * v.in_channels + ci) * d.in + i) * h.in + j) * w.in + first_w + c];
  };
  for (int c = lane; c < columns; c += static_cast<int>(kWarp)) {
    float* to = staged + c % 2 * gram.half + c / 2;
    for (int row = warp; row < rows; row += kAtOnce * kGramWarps) {
      float held[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) held[i] = number(row + i * kGramWarps, c);
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        if (row + i * kGramWarps < rows) to[(row + i * kGramWarps) * gram.pitch] = held[i];
      }
    }
  }
}

__global__ void __launch_bounds__(kGramWarps* kWarp)
    sum_products(StemView v, StemGram gram, const float* x, double* sums) {
  float* staged = &shared_memory<float>();  // [Cin][2 planes + 1][lines][pitch]
  const int block = static_cast<int>(blockIdx.x), plane = block % gram.parts * gram.planes;
  stage_inputs(v, gram, x, block / gram.parts, plane, staged);
  __syncthreads();
  const int planes = gram.depth - plane < gram.planes ? gram.depth - plane : gram.planes;
  const int lane = static_cast<int>(threadIdx.x % kWarp), below = lane / 16, right = lane % 16;
  const int depth = 2 * gram.planes + 1;
  const auto first_of = [&](int chunk) {  // of the inputs of output (0, 0, 0) under tap 0 of the chunk
    const int ci = chunk % v.in_channels, row = chunk / v.in_channels;
    return staged + ((ci * depth + row / 3) * gram.lines + row % 3) * gram.pitch;
  };
  int first = 0, second = static_cast<int>(threadIdx.x / kWarp);  // the warp's chunks
  for (int pair = second; pair < gram.pairs; pair += kGramWarps, second += kGramWarps) {
    while (second >= gram.chunks) second += ++first - gram.chunks;
    const float *a = first_of(first), *b = first_of(second);
    double sum[kStemPairSums] = {};
    for (int p = 0; p < planes; ++p) {
      for (int r = below; r < gram.height; r += 2) {
        const int row = (p * gram.lines + r) * 2 * gram.pitch;
        for (int c = row + right; c < row + gram.width; c += 16) {
          const double a0 = static_cast<double>(a[c]), a1 = static_cast<double>(a[c + gram.half]),
                       a2 = static_cast<double>(a[c + 1]);
          const double b0 = static_cast<double>(b[c]), b1 = static_cast<double>(b[c + gram.half]),
                       b2 = static_cast<double>(b[c + 1]);
          sum[0] += a0 * b0, sum[1] += a0 * b1, sum[2] += a0 * b2;
          sum[3] += a1 * b0, sum[4] += a1 * b1, sum[5] += a1 * b2;
          sum[6] += a2 * b0, sum[7] += a2 * b1, sum[8] += a2 * b2;
          if (first == second) sum[9] += a0, sum[10] += a1, sum[11] += a2;
        }
      }
    }
    const double total = warp_sums(sum);
    if (lane < kStemPairSums)
      sums[(std::int64_t{1} * pair * kStemPairSums + lane) * gram.blocks + block] = total;
  }
}

/// The sum of the blocks' sums of a slot, in every lane.
__device__ double total_of(const StemGram& gram, const double* sums, int slot) {
  const double* from = sums + std::int64_t{1} * slot * gram.blocks;
  double sum = 0;
  for (int b = static_cast<int>(threadIdx.x % kWarp); b < gram.blocks; b += static_cast<int>(kWarp))
    sum += from[b];
  return warp_sum(sum);
}

__global__ void sum_blocks(StemView v, StemGram gram, const double* sums, double* mu, double* cov) {
  const int k = static_cast<int>(blockIdx.y);
  const int l = static_cast<int>(blockIdx.x) * kReduceWarps + static_cast<int>(threadIdx.x / kWarp);
  if (l < k || l >= v.patch) return;
  const double count = static_cast<double>(v.outputs);
  const double mean_k = total_of(gram, sums, stem_sum_slot(k, v.in_channels, gram.chunks)) / count;
  const double mean_l = total_of(gram, sums, stem_sum_slot(l, v.in_channels, gram.chunks)) / count;
  const double product = total_of(gram, sums, stem_product_slot(k, l, v.in_channels, gram.chunks)) / count;
  if (threadIdx.x % kWarp != 0) return;
  if (k == l) mu[k] = mean_k;
  cov[k * v.patch + l] = cov[l * v.patch + k] = product - mean_k * mean_l;
}

}  // namespace

void stem_patch_statistics_cuda(const StemView& v, const StemGram& gram, const float* x, double* sums,
                                double* mu, double* cov, Stream& stream) {
  launch(sum_products,
         Grid{{static_cast<unsigned>(gram.blocks)},
              {kGramWarps * kWarp},
              static_cast<std::size_t>(gram.bytes(v))},
         stream.native(), v, gram, x, sums);
  const auto across = static_cast<unsigned>(stem_tiles(v.patch, kReduceWarps));
  launch(sum_blocks, Grid{{across, static_cast<unsigned>(v.patch)}, {kReduceWarps * kWarp}}, stream.native(),
         v, gram, sums, mu, cov);
}

}  // namespace umbra
