// The geometry of pooling as plain numbers that a kernel receives by value, and which windows contain which
// positions.
#pragma once

#include <limits>
#include <string>

#include "engine/ops/pool/pool_geometry.h"

namespace umbra {

/// Windows without gaps between their taps.
struct Windows {
  int in[3], out[3];
  int span[3];  // from the first tap to the last: without gaps, the kernel
  int stride[3], padding[3];
  std::int64_t row;  // numbers at a position: C N

  struct Range {
    int begin, end;
  };
  /// The input coordinates in the window of output o, without padding: every step()-th number of this range.
  constexpr Range inputs_of(int o, int axis) const {
    const int start = o * stride[axis] - padding[axis], end = start + span[axis];
    return {start > 0 ? start : 0, end < in[axis] ? end : in[axis]};
  }
  static constexpr int step(int /*axis*/) { return 1; }
  /// The outputs whose windows contain input coordinate i; with gaps, also those between whose taps it
  /// lies.
  constexpr Range outputs_of(int i, int axis) const {
    const int before = i + padding[axis] - span[axis];  // the last start for which the window ends before i
    const int begin = before < 0 ? 0 : before / stride[axis] + 1;
    const int end = (i + padding[axis]) / stride[axis] + 1;
    return {begin, end < out[axis] ? end : out[axis]};
  }
};

/// The same with gaps.
struct DilatedWindows : Windows {
  int dilation[3];

  constexpr Range inputs_of(int o, int axis) const {
    Range range = Windows::inputs_of(o, axis);
    const int start = o * stride[axis] - padding[axis];
    // The first tap after the padding.
    if (start < 0) range.begin = start + (dilation[axis] - 1 - start) / dilation[axis] * dilation[axis];
    return range;
  }
  constexpr int step(int axis) const { return dilation[axis]; }
};

/// Windows of an average pool.
struct AverageWindows : Windows {
  bool count_padding;

  /// AveragePoolOp::counted: the number of taps of window o that count on the axis.
  constexpr int counted(int o, int axis) const {
    const Range inside = inputs_of(o, axis);
    if (!count_padding) return inside.end - inside.begin;
    const int left = in[axis] + 2 * padding[axis] - o * stride[axis];
    return left < span[axis] ? left : span[axis];
  }
};

/// Why these structures cannot hold the geometry in 32 bits; "" when they can.
inline std::string too_many_positions(const PoolGeometry& g) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (g.in_volume() > kMost || g.out_volume() > kMost)
    return "it supports only volumes of fewer than 2^31 positions";
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const std::int64_t furthest = g.in[a] + 2 * g.padding[a] + g.span(axis) + g.stride[a] + g.dilation[a];
    if (furthest > kMost) return "it supports only windows that end less than 2^31 positions from the first";
  }
  return "";
}

inline bool has_gaps(const PoolGeometry& g) {
  return g.dilation != Triple{1, 1, 1};
}

inline Windows windows_of(const PoolGeometry& g) {
  Windows w{};
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    w.in[axis] = static_cast<int>(g.in[a]);
    w.out[axis] = static_cast<int>(g.out(axis));
    w.span[axis] = static_cast<int>(g.span(axis));
    w.stride[axis] = static_cast<int>(g.stride[a]);
    w.padding[axis] = static_cast<int>(g.padding[a]);
  }
  w.row = g.row();
  return w;
}
inline AverageWindows average_windows_of(const PoolGeometry& g, bool count_padding) {
  return {windows_of(g), count_padding};
}

inline DilatedWindows dilated_windows_of(const PoolGeometry& g) {
  DilatedWindows w{windows_of(g), {}};
  for (int axis = 0; axis < 3; ++axis)
    w.dilation[axis] = static_cast<int>(g.dilation[static_cast<std::size_t>(axis)]);
  return w;
}

}  // namespace umbra
