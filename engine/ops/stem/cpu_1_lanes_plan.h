// How the CPU rung cpu_1_lanes divides a stem. A vector register holds one number of many samples:
//
//   boxes    [group][D][H][padded W][Cin][width]   groups of up to 32 samples, zeros after the last sample;
//            only W is padded (with zeros), so that any tap of a live output may be read; on D and H dead
//            rows are skipped
//   filters  [block][K][10]                        blocks of 10 channels, zeros after the last channel
//
// A "cell" is the numbers of one position in one block and group: [10][width]. A chunk is up to three taps
// of one row of the filter and one input channel: the sums over patches are divided into chunks. Nothing
// here
// depends on the instruction set or the number of threads.
#pragma once

#include <algorithm>

#include "engine/ops/stem/op.h"

namespace umbra {

inline constexpr std::int64_t kStemGroup = 32;      // samples in a full group; a last one may have 16
inline constexpr std::int64_t kStemBlock = 10;      // channels
inline constexpr std::int64_t kStemTaps = 3;        // of a chunk
inline constexpr std::int64_t kStemTile = 9;        // kStemTaps squared
inline constexpr std::int64_t kStemWide = 8;        // doubles in the longest vector
inline constexpr std::int64_t kStemLanes = 16;      // floats in the longest vector
inline constexpr std::int64_t kStemRowChunks = 16;  // pieces into which rows of outputs are divided

struct StemChunk {
  std::int32_t td, th;           // taps of the kernel
  std::int32_t count;            // of taps, 1 to 3; the rest repeats the last
  std::int32_t cell[kStemTaps];  // of the tap, relative to the output's, ow * stride * Cin
  std::int32_t k[kStemTaps];     // its index in the patch
};

/// Sums of P_k P_l over chunk a times chunk b. Where two pairs of taps read the same pairs of inputs (taps
/// 0 and 2 do at stride 2) only the first is summed, and the other refers to it.
struct StemPair {
  std::int32_t a, b;    // a <= b
  std::int32_t source;  // index of the pair that holds the sums, transposed where `swapped`
  bool swapped;
};

struct StemPlan {
  explicit StemPlan(const StemGeometry& g);

  std::int64_t groups() const { return (g.batch + kStemGroup - 1) / kStemGroup; }
  std::int64_t blocks() const { return (g.channels + kStemBlock - 1) / kStemBlock; }
  std::int64_t samples(std::int64_t group) const {
    return std::min(kStemGroup, g.batch - group * kStemGroup);
  }
  std::int64_t width(std::int64_t group) const { return samples(group) > 16 ? 32 : 16; }
  std::int64_t channels(std::int64_t block) const {
    return std::min(kStemBlock, g.channels - block * kStemBlock);
  }
  /// Cells of one group; of a row of W.
  std::int64_t box_cells() const { return d.in * h.in * row_cells(); }
  std::int64_t row_cells() const { return padded * g.in_channels; }
  /// First cell of input row (td, th) of the output row (od, oh), for ow = 0 and cell 0 of a chunk.
  std::int64_t row_of(std::int64_t od, std::int64_t oh, std::int64_t td, std::int64_t th) const {
    return ((d.start(od) + td) * h.in + h.start(oh) + th) * row_cells();
  }
  bool row_lives(std::int64_t od, std::int64_t oh, std::int64_t td, std::int64_t th) const {
    return td >= d.first_tap(od) && td < d.last_tap(od) && th >= h.first_tap(oh) && th < h.last_tap(oh);
  }
  /// Cell of tap t of output ow in its row, first input channel.
  std::int64_t cell_of(std::int64_t ow, std::int64_t t) const {
    return (w.start(ow) + t + left) * g.in_channels;
  }
  std::int64_t chunks_per_row() const { return (w.live_taps + kStemTaps - 1) / kStemTaps; }
  std::int64_t chunks() const { return d.live_taps * h.live_taps * g.in_channels * chunks_per_row(); }
  std::int64_t pairs() const { return chunks() * (chunks() + 1) / 2; }
  /// g.window and g.pool_out without their divisions.
  StemWindow window(int a, std::int64_t q) const {
    const auto i = static_cast<std::size_t>(a);
    const std::int64_t start = q * g.pool_stride[i] - g.pool_padding[i];
    return {start, std::max<std::int64_t>(0, -start), std::min(g.pool[i], axis(a).out - start)};
  }
  const StemAxis& axis(int a) const { return a == 0 ? d : a == 1 ? h : w; }
  std::int64_t pool_out(int a) const { return pooled[static_cast<std::size_t>(a)]; }
  std::int64_t live_rows() const { return (d.live_end - d.live_begin) * (h.live_end - h.live_begin); }

  /// Writes chunks() elements.
  void fill_chunks(StemChunk* out) const;
  /// Writes pairs() elements.
  void fill_pairs(const StemChunk* chunks, StemPair* out) const;

  StemGeometry g;
  StemAxis d, h, w;
  std::int64_t patch;         // K
  Triple pooled;              // extents of y
  std::int64_t left, padded;  // zeros before a row; length of a row with all zeros
};

/// Why the rung does not support a problem; empty when it does.
std::string stem_lanes_declines(const StemGeometry& g);

/// Products and sums of products of numbers up to this size are finite.
inline constexpr float kStemTame = 1e15f;

/// Packs boxes [group][…] from x [N][Cin][D][H][W]. Returns whether all of x is tame.
bool stem_pack_boxes(const StemPlan& plan, const float* x, float* boxes);
std::int64_t stem_box_floats(const StemPlan& plan);

/// Packs filters from w [K][C] times sign [C]. Returns whether the sum of every filter's absolute values is
/// tame.
bool stem_pack_filters(const StemPlan& plan, const float* w, const float* sign, float* filters);

}  // namespace umbra
