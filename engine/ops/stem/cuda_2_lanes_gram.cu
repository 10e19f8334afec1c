// Mean and covariance of the patches: tensor cores multiply patches by patches in double, where a product of
// two floats is exact. A patch has a 1 behind its numbers, whose products are the sums. Tiles of 8 x 8
// products need a number of four outputs per lane, which is at the same time the row and the column of a
// product: four loads for the ten tiles of 27 numbers. Blocks process a few planes of one sample; a second
// kernel adds their sums in order and subtracts the squared mean, which costs no digits that a float has.
#include "engine/cuda/tile/block_fold.h"
#include "engine/cuda/tile/mma_places.h"
#include "engine/ops/stem/cuda_2_lanes.h"
#include "mma.h"

namespace umbra {
namespace {

constexpr int kGramWarps = kStemGramWarps, kReduceWarps = 8;
constexpr int kQuad = 4;  // eights of numbers that a block multiplies with four others

/// Loads the inputs under the outputs of `planes` planes from the block's first into shared memory, zeros
/// for padding. A thread issues the loads of several planes before it waits for the first.
__device__ void stage_inputs(const StemView& v, const StemGram& gram, const float* x, int n, int plane,
                             float* staged) {
  constexpr int kAtOnce = 2 * StemGram::kMostPlanes + 1;
  const StemAxisView &d = v.axis[0], &h = v.axis[1], &w = v.axis[2];
  const int depth = 2 * gram.planes + 1, planes = v.in_channels * depth;
  const int first_d = d.start(d.live_begin + plane), first_h = h.start(h.live_begin),
            first_w = w.start(w.live_begin);
  const int warp = static_cast<int>(threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x % kWarp);
  for (int line = warp; line < gram.lines; line += kGramWarps) {
    const int j = first_h + line;
    for (int c = lane; c < 2 * gram.half; c += static_cast<int>(kWarp)) {
      const bool inside = j >= 0 && j < h.in && first_w + c >= 0 && first_w + c < w.in;
      float* to = staged + line * gram.pitch + c % 2 * gram.half + c / 2;
      for (int first = 0; first < planes; first += kAtOnce) {
        float held[kAtOnce];
#pragma unroll
        for (int p = 0; p < kAtOnce; ++p) {
          const int i = first_d + (first + p) % depth, ci = (first + p) / depth;
          const bool data = inside && first + p < planes && i >= 0 && i < d.in;
          const std::int64_t row =
              (((std::int64_t{1} * n * v.in_channels + ci) * d.in + i) * h.in + j) * w.in;
          held[p] = data ? x[row + first_w + c] : 0;
        }
#pragma unroll
        for (int p = 0; p < kAtOnce; ++p) {
          if (first + p < planes) to[(first + p) * gram.lines * gram.pitch] = held[p];
        }
      }
    }
  }
}

/// A lane's numbers of a quad: one of each eight, of outputs lane % 4, lane % 4 + 4, …
struct GramNumbers {
  __device__ GramNumbers(const StemView& v, const StemGram& gram, const float* staged, int quad) {
    const int lane = static_cast<int>(threadIdx.x % kWarp), depth = 2 * gram.planes + 1;
    const MmaOperandPlace at = mma_b_place(lane, 0);
#pragma unroll
    for (int i = 0; i < kQuad; ++i) {
      const int number = (quad * kQuad + i) * kMmaF64Lines + at.line;
      const int k = number < v.patch ? number : 0;  // sums with numbers behind the 1 are not read
      const int ci = k % v.in_channels, tap = k / v.in_channels, tw = tap % 3;
      const int row = (ci * depth + tap / 9) * gram.lines + tap / 3 % 3;
      from[i] = staged + row * gram.pitch + tw % 2 * gram.half + tw / 2 + at.word;
      one[i] = number == v.patch;
    }
  }
  /// Those of the four outputs from `offset` on; zeros unless the lane's output exists.
  __device__ void load(int offset, bool exists, double (&numbers)[kQuad]) const {
#pragma unroll
    for (int i = 0; i < kQuad; ++i) {
      const float number = from[i][offset];
      numbers[i] = static_cast<double>(one[i] ? 1.0f : exists ? number : 0.0f);
    }
  }
  const float* from[kQuad];
  bool one[kQuad];
};

/// Adds the sums of the warps in order: [warp][row of tiles][column of tiles][8][8] in shared memory.
__device__ void add_warps(const StemGram& gram, const double* of_warps, int first, int second, double* sums) {
  constexpr int kAll = kQuad * kQuad * kStemTileSums;
  for (int i = static_cast<int>(threadIdx.x); i < kAll; i += kGramWarps * static_cast<int>(kWarp)) {
    const int a = first * kQuad + i / kStemTileSums / kQuad, b = second * kQuad + i / kStemTileSums % kQuad;
    if (a > b || b >= gram.eights) continue;
    double sum = 0;
    for (int warp = 0; warp < kGramWarps; ++warp) sum += of_warps[warp * kAll + i];
    const int slot = stem_pair(a, b, gram.eights) * kStemTileSums + i % kStemTileSums;
    sums[std::int64_t{1} * slot * gram.blocks + blockIdx.x] = sum;
  }
}

/// kDiagonal: products of a quad with itself, of which tiles below the diagonal are left out; else block y
/// takes a pair of two quads.
template <bool kDiagonal>
__global__ void __launch_bounds__(kGramWarps* kWarp)
    sum_products(StemView v, StemGram gram, const float* x, double* sums) {
  double* of_warps = &shared_memory<double>();
  float* staged = reinterpret_cast<float*>(of_warps);  // [Cin][2 planes + 1][lines][pitch]
  const int block = static_cast<int>(blockIdx.x), plane = block % gram.parts * gram.planes;
  stage_inputs(v, gram, x, block / gram.parts, plane, staged);
  int first = kDiagonal ? static_cast<int>(blockIdx.y) : 0,
      second = static_cast<int>(blockIdx.y) + !kDiagonal;
  if constexpr (!kDiagonal) {
    while (second >= gram.quads) second += ++first + 1 - gram.quads;
  }
  const GramNumbers rows(v, gram, staged, first), columns(v, gram, staged, second);
  const int planes = gram.depth - plane < gram.planes ? gram.depth - plane : gram.planes;
  const int warp = static_cast<int>(threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x % kWarp);
  __syncthreads();
  double tile[kQuad][kQuad][2] = {};
  for (int row = warp; row < planes * gram.height; row += kGramWarps) {
    const int line = 2 * (row / gram.height * gram.lines + row % gram.height);
#pragma unroll 1
    for (int c = 0; c < gram.across; ++c) {
#pragma unroll
      for (int i = 0; i < kStemGramOutputs; i += kMmaF64Numbers) {
        const int offset = line * gram.pitch + c * kStemGramOutputs + i;
        const bool exists = c * kStemGramOutputs + i + mma_b_place(lane, 0).word < gram.width;
        double a[kQuad], b[kQuad];
        rows.load(offset, exists, a);
        if constexpr (kDiagonal) {
          mma_f64_pieces<true>(tile, a, a);
        } else {
          columns.load(offset, exists, b);
          mma_f64_pieces<false>(tile, a, b);
        }
      }
    }
  }
  __syncthreads();  // all have read their inputs
#pragma unroll
  for (int i = 0; i < kQuad; ++i) {
#pragma unroll
    for (int j = 0; j < kQuad; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const MmaResultPlace at = mma_d_place(lane, e);
        of_warps[((warp * kQuad + i) * kQuad + j) * kStemTileSums + at.row * kMmaF64Lines + at.column] =
            tile[i][j][e];
      }
    }
  }
  __syncthreads();
  add_warps(gram, of_warps, first, second, sums);
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
  const double mean_k = total_of(gram, sums, stem_sum_slot(k, v.patch)) / count;
  const double mean_l = total_of(gram, sums, stem_sum_slot(l, v.patch)) / count;
  const double product = total_of(gram, sums, stem_product_slot(k, l, v.patch)) / count;
  if (threadIdx.x % kWarp != 0) return;
  if (k == l) mu[k] = mean_k;
  cov[k * v.patch + l] = cov[l * v.patch + k] = product - mean_k * mean_l;
}

}  // namespace

void stem_patch_statistics_cuda(const StemView& v, const StemGram& gram, const float* x, double* sums,
                                double* mu, double* cov, Stream& stream) {
  const auto bytes = static_cast<std::size_t>(gram.bytes(v));
  const auto blocks = static_cast<unsigned>(gram.blocks), quads = static_cast<unsigned>(gram.quads);
  launch(sum_products<true>, Grid{{blocks, quads}, {kGramWarps * kWarp}, bytes}, stream.native(), v, gram, x,
         sums);
  if (quads > 1) {
    launch(sum_products<false>, Grid{{blocks, quads * (quads - 1) / 2}, {kGramWarps * kWarp}, bytes},
           stream.native(), v, gram, x, sums);
  }
  const auto across = static_cast<unsigned>(stem_tiles(v.patch, kReduceWarps));
  launch(sum_blocks, Grid{{across, static_cast<unsigned>(v.patch)}, {kReduceWarps * kWarp}}, stream.native(),
         v, gram, sums, mu, cov);
}

}  // namespace umbra
