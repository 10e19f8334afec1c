// How the CUDA rung cuda_2_lanes divides a stem. Lanes of a warp are samples: activations are
// [position][channel][sample], so a warp reads and writes contiguous memory, and all its lanes have the
// same taps with data. For that the boxes are first converted to the order
//
//   boxes [group of 32 samples][Cin][D][H][padded W][32]      zeros around W and after the last sample
//
// The rung supports kernels and poolings of extent 3 with stride 2, as in the network's stem.
#pragma once

#include <algorithm>

#include "engine/cuda/tile/tile_plan.h"
#include "engine/ops/stem/cuda_2_lanes_index.h"
#include "engine/ops/stem/cuda_stem.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/stream.h"

namespace umbra {

inline constexpr int kStemLanes32 = 32;                 // samples of a group
inline constexpr std::int64_t kStemShared = 160 << 10;  // bytes of shared memory a block may have: an A100's
/// Those that a block of the pooling may have: this machine's. Its result does not depend on how it is divided.
inline std::int64_t stem_pool_shared() {
  const std::size_t most = backend_of(Device::Kind::kCuda).shared_memory();
  return most == 0 ? kStemShared : static_cast<std::int64_t>(most);
}

// ---- boxes ----

struct StemBoxes {
  /// For kernels that work on `windows` pooling windows of a row at a time.
  StemBoxes(const StemView& v, int windows)
      : groups(stem_tiles(v.batch, kStemLanes32)),
        rows(v.in_channels * v.axis[0].in * v.axis[1].in),
        left(2 * v.axis[2].pool_padding + v.axis[2].padding),
        padded(4 * stem_tiles(v.axis[2].pooled, windows) * windows + 3) {}
  std::int64_t floats() const { return static_cast<std::int64_t>(groups) * rows * padded * kStemLanes32; }

  int groups;
  int rows;    // Cin * D * H
  int left;    // zeros in front of a row: pooling window q begins at column 4 q
  int padded;  // columns, up to the last that a tile of windows reads
};

/// Packs the boxes from x [N][Cin][D][H][W].
void stem_pack_boxes_cuda(const StemView& v, const StemBoxes& boxes, const float* x, float* packed,
                          Stream& stream);

// ---- statistics of the patches ----

/// A block sums over some planes of outputs of one sample, whose inputs it holds in shared memory: rows are
/// split into even and odd columns, so that neighbouring outputs (two columns apart) read neighbouring
/// numbers.
struct StemGram {
  explicit StemGram(const StemView& v)
      : chunks(9 * v.in_channels),
        pairs(chunks * (chunks + 1) / 2),
        depth(v.axis[0].live_end - v.axis[0].live_begin),
        height(v.axis[1].live_end - v.axis[1].live_begin),
        width(v.axis[2].live_end - v.axis[2].live_begin),
        half(width + 1),
        pitch((2 * half + 7) / 16 * 16 + 8),
        lines(2 * height + 1),
        planes(std::min(kMostPlanes, depth)) {
    while (planes > 1 && bytes(v) > kComfortable) --planes;
    parts = stem_tiles(depth, planes);
    blocks = v.batch * parts;
  }
  std::int64_t bytes(const StemView& v) const {
    return std::int64_t{4} * v.in_channels * (2 * planes + 1) * lines * pitch;
  }
  std::int64_t doubles() const { return static_cast<std::int64_t>(pairs) * kStemPairSums * blocks; }

  static constexpr int kMostPlanes = 2;
  static constexpr std::int64_t kComfortable =
      72 << 10;  // of shared memory, so that blocks share a multiprocessor
  int chunks, pairs;
  int depth, height, width;  // outputs that read data
  int half, pitch;           // even columns of a row; a row: 8 mod 16, so that rows two apart use other banks
  int lines;                 // rows of a plane
  int planes, parts, blocks;
};

/// Computes mu [K] and cov [K][K]; `sums` has gram.doubles() numbers.
void stem_patch_statistics_cuda(const StemView& v, const StemGram& gram, const float* x, double* sums,
                                double* mu, double* cov, Stream& stream);

// ---- convolution and pooling ----

inline constexpr int kStemTileChannels = 8;  // of one warp
inline constexpr int kStemMostTiles = 5;     // of a block
inline constexpr int kStemWindowsHigh = 4;   // pooling windows of a block along H
inline constexpr int kStemPoolWarps = 12;    // of a block: three to a scheduler, with 168 registers each

struct StemPooling {
  explicit StemPooling(const StemView& v)
      : mirrored(fits_mirrored(v.axis[2])),
        windows(mirrored ? 4 : 3),
        high(stem_tiles(v.axis[1].pooled, kStemWindowsHigh)),
        wide(stem_tiles(v.axis[2].pooled, windows)),
        rows(most_rows(v.axis[1])) {
    const int all = stem_tiles(v.channels, kStemTileChannels);
    for (int more = 2; more <= std::min(all, kStemMostTiles); ++more)
      if (bytes(v, more) <= stem_pool_shared() && time(v, more) <= time(v, tiles)) tiles = more;
    blocks_of_channels = stem_tiles(all, tiles);
  }
  /// How often warps take a row one after the other if a block has so many tiles of channels: rounds of the rows of a
  /// block times rounds of blocks, one to a multiprocessor. Blocks of planes at the ends, where most taps read padding, fill the gaps.
  std::int64_t time(const StemView& v, int tiles_of_block) const {
    const StemAxisView& d = v.axis[0];
    const auto taps = [&](int q) {
      int sum = 0;
      for (int t = d.window_begin(q); t < d.window_end(q); ++t)
        sum += std::max(0, d.last_tap(d.window(q) + t) - d.first_tap(d.window(q) + t));
      return sum;
    };
    int most = 0;
    for (int q = 0; q < d.pooled; ++q) most = std::max(most, taps(q));
    std::int64_t full = 0;
    for (int q = 0; q < d.pooled; ++q) full += 2 * taps(q) > most ? 1 : 0;
    const std::int64_t blocks = full * high * wide * stem_tiles(v.batch, kStemLanes32) *
                                stem_tiles(stem_tiles(v.channels, kStemTileChannels), tiles_of_block);
    return ceil_div(blocks, kPlannedMultiprocessors) * stem_tiles(tiles_of_block * rows, kStemPoolWarps);
  }
  /// Whether of the nine outputs below four windows either the first two or the last two read no data, in
  /// every tile: with seven sums per channel a warp then computes four windows.
  static bool fits_mirrored(const StemAxisView& w) {
    for (int q = 0; q < w.pooled; q += 4) {
      const int first = w.window(q);
      const bool begins_late = w.live_begin >= first + 2, ends_early = w.live_end <= first + 7;
      if (!begins_late && !ends_early) return false;
    }
    return true;
  }
  static int most_rows(const StemAxisView& h) {
    int most = 0;
    for (int q = 0; q < h.pooled; q += kStemWindowsHigh) {
      const int begin = std::max(h.live_begin, h.window(q));
      const int end = std::min(h.live_end, h.window(q) + 2 * kStemWindowsHigh + 1);
      most = std::max(most, end - begin);
    }
    return most;
  }
  /// Bytes of the filters and, per tile of channels and row, of the maxima and their winners.
  std::int64_t bytes(const StemView& v) const { return bytes(v, tiles); }
  std::int64_t bytes(const StemView& v, int tiles_of_block) const {
    return std::int64_t{4} * tiles_of_block * kStemTileChannels *
           (v.patch + rows * kStemLanes32 * (windows + 1));
  }
  std::int64_t blocks(const StemView& v) const { return std::int64_t{1} * v.axis[0].pooled * high * wide; }

  bool mirrored;
  int windows;     // of a warp, along W
  int high, wide;  // tiles along H and W
  int rows;        // of outputs that read data, at most, in a block
  int tiles = 1;   // of channels, of a block
  int blocks_of_channels = 1;
};

/// Writes y and, unless null, winner. `shift` and `scale` [C]: y = relu((max of sign(gamma) z - shift)
/// scale + beta).
struct StemPoolingBuffers {
  const float *boxes, *w, *gamma, *beta, *shift, *scale;
  float* y;
  std::uint8_t* winner;
};
void stem_pool_cuda(const StemView& v, const StemBoxes& boxes, const StemPooling& plan,
                    const StemPoolingBuffers& b, Stream& stream);

// ---- gradients ----

inline constexpr int kStemBackwardWindows = 2;  // pooling windows of a block along H and W

/// The inputs of the gradients besides the sums over winners, and the gradients.
struct StemGradients {
  const float *w, *gamma, *mean, *invstd;
  const double *mu, *cov;
  float *dw, *dgamma, *dbeta;
};
/// Bytes of shared memory of a block of the backward pass.
std::int64_t stem_backward_shared();
/// The number of blocks per group of samples and input channel, and of floats in `sums`.
std::int64_t stem_backward_tiles(const StemView& v);
std::int64_t stem_backward_floats(const StemView& v);
void stem_backward_cuda(const StemView& v, const StemBoxes& boxes, const float* packed, const float* dy,
                        const std::uint8_t* winner, float* sums, const StemGradients& gradients,
                        Stream& stream);

// ---- sums over lanes ----

/// Sums each of kCount values (a power of two) over lanes that differ in a bit of L % kCount; lane L gets
/// the sum of value L % kCount. Lanes exchange halves step by step: kCount - 1 exchanges instead of five
/// per value.
template <int kCount, class T>
__device__ __forceinline__ T lane_sums(T (&values)[kCount]) {
  if constexpr (kCount == 1) {
    return values[0];
  } else {
    constexpr int kHalf = kCount / 2;
    const bool upper = (threadIdx.x & static_cast<unsigned>(kHalf)) != 0;
    T kept[kHalf];
#pragma unroll
    for (int i = 0; i < kHalf; ++i) {
      const T give = upper ? values[i] : values[i + kHalf];
      kept[i] = (upper ? values[i + kHalf] : values[i]) + __shfl_xor_sync(kFullWarp, give, kHalf);
    }
    return lane_sums(kept);
  }
}
/// Sums each of kCount values over a warp; lane L gets the sum of value L % kCount. All lanes must call it.
template <int kCount, class T>
__device__ __forceinline__ T warp_sums(T (&values)[kCount]) {
  T sum = lane_sums(values);
#pragma unroll
  for (int lanes = kCount; lanes < static_cast<int>(kWarp); lanes *= 2)
    sum += __shfl_xor_sync(kFullWarp, sum, lanes);
  return sum;
}

}  // namespace umbra
