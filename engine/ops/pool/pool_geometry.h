// The geometry of pooling over windows in two or three dimensions, on batch-last data [D, H, W, C, N], with
// PyTorch's rules. On every axis window o starts at  o * stride - padding  and has `kernel` taps, `dilation`
// apart. Without `ceil` there are as many windows as fit into the padded input; with it one more may extend
// past its end, provided that it starts inside the input or the padding in front of it.
#pragma once

#include "engine/ops/op.h"

namespace umbra {

struct PoolGeometry {
  std::int64_t batch = 1, channels = 1;
  Triple in{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  bool ceil = false;

  /// The distance from the first tap of a window to the last, both included.
  std::int64_t span(int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    return dilation[a] * (kernel[a] - 1) + 1;
  }
  std::int64_t out(int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    const std::int64_t windows = room_to_move(axis) / stride[a] + 1;
    return ceil && (windows - 1) * stride[a] >= in[a] + padding[a] ? windows - 1 : windows;
  }
  std::int64_t in_volume() const { return in[0] * in[1] * in[2]; }
  std::int64_t out_volume() const { return out(0) * out(1) * out(2); }
  std::int64_t row() const { return channels * batch; }  // numbers at a position
  /// (output, tap) pairs of one volume that touch data.
  double live_pairs() const;
  /// The largest number of windows that contain the same input.
  double most_windows_over_an_input() const;
  /// Throws Error unless every extent is positive, padding <= kernel / 2, dilation < 2^31, the output is not
  /// empty and there is a number under every window. `pooling` is the subject of the error message.
  void check(std::string_view pooling = "max pooling") const;
  /// "n2 c3 i5x5x5 k3x3x3 s2x2x2 p1x1x1", then " d2x2x2" and " ceil" where they are not the default.
  std::string text() const;

 private:
  // How far the first window may be moved: each whole stride gives one more window. With ceil the remainder
  // of a stride counts as a whole one. Negative where not even the first window fits.
  std::int64_t room_to_move(int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    return in[a] + 2 * padding[a] - span(axis) + (ceil ? stride[a] - 1 : 0);
  }
};

/// Positions begin, begin + step, … below end.
struct PoolRange {
  std::int64_t begin, end, step = 1;

  std::int64_t count() const { return end > begin ? (end - begin - 1) / step + 1 : 0; }
  std::int64_t last() const { return begin + (count() - 1) * step; }
};

/// The input coordinates under the taps of window o on `axis`, without padding.
inline PoolRange pool_range(const PoolGeometry& g, std::int64_t o, int axis) {
  const auto a = static_cast<std::size_t>(axis);
  const std::int64_t start = o * g.stride[a] - g.padding[a], step = g.dilation[a];
  const std::int64_t end = start + g.span(axis);
  const std::int64_t begin = start >= 0 ? start : start + (step - 1 - start) / step * step;
  return {begin, end < g.in[a] ? end : g.in[a], step};
}

}  // namespace umbra
