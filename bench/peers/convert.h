// Conversions between umbra's layouts and those of the libraries, on a GPU (convert.cu). Activations are
// [position][channel][sample] in umbra and [sample][position][channel] in the libraries: one transposition.
// Weights are [live tap][Cin][Cout] in umbra and [Cout][tap][Cin] in the libraries: also one transposition,
// except for the dead taps, which exist only in the libraries' layout and are zero.
#pragma once

#include <bit>
#include <cstdint>

#include "engine/base/dtype.h"
#include "engine/base/precision.h"
#include "engine/ops/conv/geometry.h"
#include "engine/runtime/stream.h"

namespace umbra {

/// The live taps of a kernel, as one bit mask per axis: a tap is live if it touches data on every axis. With
/// `channels` rows per tap, row r of the dense kernel is row `live_row(r)` of the live one.
struct LiveRows {
  static constexpr int kMostTaps = 64;  // per axis

  std::uint64_t live[3] = {1, 1, 1};
  int kernel[3] = {1, 1, 1};
  std::int64_t channels = 1;
  bool all = true;  // every row is live

  /// -1 for a row of a dead tap.
  constexpr std::int64_t live_row(std::int64_t row) const {
    if (all) return row;
    const std::int64_t tap = row / channels;
    const int t[3] = {static_cast<int>(tap / (kernel[1] * kernel[2])),
                      static_cast<int>(tap / kernel[2] % kernel[1]), static_cast<int>(tap % kernel[2])};
    std::int64_t number = 0;
    for (int a = 0; a < 3; ++a) {
      const std::uint64_t bit = std::uint64_t{1} << t[a];
      if ((live[a] & bit) == 0) return -1;
      number = number * std::popcount(live[a]) + std::popcount(live[a] & (bit - 1));
    }
    return number * channels + row % channels;
  }
};

/// The live rows of a kernel with at most kMostTaps taps along every axis.
LiveRows live_rows(const ConvGeometry& g);

/// A matrix of float or Bf16.
struct ConstMatrix {
  const void* data;
  DType dtype;
};
struct Matrix {
  void* data;
  DType dtype;
};

/// to[c][r] = from[map(r)][c], zero where map(r) is -1, for the `rows` x `columns` of the dense matrix. A
/// float result is rounded to `precision` (fp32: not at all).
void transpose_in(ConstMatrix from, Matrix to, std::int64_t rows, std::int64_t columns, const LiveRows& map,
                  Precision precision, Stream& stream);
/// to[map(c)][r] = from[r][c] if map(c) is not -1.
void transpose_out(ConstMatrix from, float* to, std::int64_t rows, std::int64_t columns, const LiveRows& map,
                   Stream& stream);
/// to[i] = from[i], a float result rounded to `precision`.
void copy_rounded(ConstMatrix from, Matrix to, std::int64_t count, Precision precision, Stream& stream);
/// Fills a matrix with pseudo-random numbers between -1 and 1 that depend on `seed`, because multiplying
/// zeros is faster.
void fill_noise(Matrix to, std::int64_t count, unsigned seed, Stream& stream);

}  // namespace umbra
