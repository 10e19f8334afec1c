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

inline constexpr int kStemLanes32 = 32;  // samples of a group
/// Bytes of shared memory that a block may have on the GPUs of this machine; an A100's if there are none.
inline std::int64_t stem_shared() {
  const std::size_t most = backend_of(Device::Kind::kCuda).shared_memory();
  return most == 0 ? std::int64_t{160} << 10 : static_cast<std::int64_t>(most);
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

// Of a block of the statistics: every scheduler gets 13 of the 52 rows below four planes of the network.
inline constexpr int kStemGramWarps = 12;
inline constexpr int kStemGramOutputs = 16;  // of a row that a warp multiplies in one turn

/// A block sums over some planes of outputs of one sample, whose inputs it holds in shared memory: rows are
/// split into even and odd columns, so that neighbouring outputs (two columns apart) read neighbouring
/// numbers.
struct StemGram {
  explicit StemGram(const StemView& v)
      : eights(stem_tiles(v.patch + 1, 8)),
        quads(stem_tiles(eights, 4)),
        depth(v.axis[0].live_end - v.axis[0].live_begin),
        height(v.axis[1].live_end - v.axis[1].live_begin),
        width(v.axis[2].live_end - v.axis[2].live_begin),
        across(stem_tiles(width, kStemGramOutputs)),
        half(kStemGramOutputs * across + 1),
        pitch((2 * half + 26) / 32 * 32 + 5),
        lines(2 * height + 1),
        planes(std::min(kMostPlanes, depth)) {
    while (planes > 1 && bytes(v) > kSums) --planes;
    parts = stem_tiles(depth, planes);
    blocks = v.batch * parts;
  }
  /// Of shared memory: the inputs, and later the sums of every warp.
  std::int64_t bytes(const StemView& v) const {
    return std::max(kSums, std::int64_t{4} * v.in_channels * (2 * planes + 1) * lines * pitch);
  }
  std::int64_t doubles() const {
    return static_cast<std::int64_t>(stem_pair(eights, eights, eights)) * kStemTileSums * blocks;
  }

  static constexpr int kMostPlanes = 4;
  static constexpr std::int64_t kSums = std::int64_t{8} * kStemGramWarps * 16 * kStemTileSums;
  int eights, quads;         // of the numbers of a patch and a 1
  int depth, height, width;  // outputs that read data
  int across;                // 16 of them along W
  int half, pitch;           // even columns of a row; a row: 5 mod 32, so that three rows use different banks
  int lines;                 // rows of a plane
  int planes, parts, blocks;
};

/// Computes mu [K] and cov [K][K]; `sums` has gram.doubles() numbers.
void stem_patch_statistics_cuda(const StemView& v, const StemGram& gram, const float* x, double* sums,
                                double* mu, double* cov, Stream& stream);

// ---- convolution and pooling ----

inline constexpr int kStemTileChannels = 8;  // of a block
inline constexpr int kStemPoolRows = 13;     // of a block at most, a warp each with 128 registers

/// y does not depend on how the pooling is divided, so it may follow the machine.
struct StemPooling {
  /// For blocks of at most `shared` bytes of shared memory; one row of windows may need more.
  StemPooling(const StemView& v, std::int64_t shared)
      : mirrored(fits_mirrored(v.axis[2])),
        windows(mirrored ? 4 : 3),
        windows_high(v.axis[1].pooled + 1),
        windows_deep(v.axis[0].pooled),
        wide(stem_tiles(v.axis[2].pooled, windows)) {
    do {
      --windows_high;
      rows = std::max(1, most_rows(v.axis[1], windows_high));
    } while (windows_high > 1 && (rows > kStemPoolRows || bytes(v) > shared));
    high = stem_tiles(v.axis[1].pooled, windows_high);
    for (int parts = 2; parts <= v.axis[0].pooled; ++parts) {
      const int fewer = stem_tiles(v.axis[0].pooled, parts);
      if (time(v, fewer) < time(v, windows_deep)) windows_deep = fewer;
    }
    deep = stem_tiles(v.axis[0].pooled, windows_deep);
  }
  /// How many planes a multiprocessor computes one after the other if a block has so many windows along D: rounds of
  /// blocks, one to a multiprocessor, times the most planes of a block that read data.
  std::int64_t time(const StemView& v, int windows_of_block) const {
    const StemAxisView& d = v.axis[0];
    int most = 1;
    for (int q = 0; q < d.pooled; q += windows_of_block)
      most = std::max(most, live_below(d, q, windows_of_block));
    const std::int64_t blocks = std::int64_t{1} * stem_tiles(d.pooled, windows_of_block) * high * wide *
                                stem_tiles(v.batch, kStemLanes32) * stem_tiles(v.channels, kStemTileChannels);
    return ceil_div(blocks, kPlannedMultiprocessors) * most;
  }
  /// A tile of four windows is nine outputs wide, of which the warp computes seven if the others read no data.
  static bool fits_mirrored(const StemAxisView& w) {
    for (int q = 0; q < w.pooled; q += 4) {
      const int first = w.window(q);
      const bool begins_late = w.live_begin >= first + 2, ends_early = w.live_end <= first + 7;
      if (!begins_late && !ends_early) return false;
    }
    return true;
  }
  /// Outputs that read data below `count` windows from q on.
  static int live_below(const StemAxisView& axis, int q, int count) {
    return std::min(axis.live_end, axis.window(q) + 2 * count + 1) -
           std::max(axis.live_begin, axis.window(q));
  }
  static int most_rows(const StemAxisView& h, int windows_of_block) {
    int most = 0;
    for (int q = 0; q < h.pooled; q += windows_of_block)
      most = std::max(most, live_below(h, q, windows_of_block));
    return most;
  }
  /// Bytes of the filters, of shift and scale and, twice per row, of the maxima and their winners.
  std::int64_t bytes(const StemView& v) const {
    return std::int64_t{4} * kStemTileChannels * (v.patch + 2 + 2 * rows * kStemLanes32 * (windows + 1));
  }
  std::int64_t blocks() const { return std::int64_t{1} * deep * high * wide; }

  bool mirrored;
  int windows, windows_high, windows_deep;  // of a block, along W, H and D
  int wide, high = 1, deep = 1;             // blocks along W, H and D
  int rows = 1;                             // of outputs that read data, at most, in a block
};

/// Where mean and variance of a channel come from: in training from those of the patches, of which the first
/// block of a channel stores the moments; in inference, where mu is null, from running_mean and running_var.
struct StemStatistics {
  const double *mu, *cov;                   // [K], [K][K]
  StemMoments moments;                      // in inference only epsilon is used
  const float *running_mean, *running_var;  // [C]
};
/// Writes y and, unless null, winner.
struct StemPoolingBuffers {
  const float *boxes, *w, *gamma, *beta;
  float* y;
  std::uint8_t* winner;
};
void stem_pool_cuda(const StemView& v, const StemBoxes& boxes, const StemPooling& plan,
                    const StemPoolingBuffers& b, const StemStatistics& statistics, Stream& stream);

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
