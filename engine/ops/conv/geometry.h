// The geometry of a convolution in two or three dimensions. A 2-D convolution is the 3-D one with extent,
// kernel and stride 1 and padding 0 on the first axis.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "engine/ops/op.h"

namespace umbra {

struct ConvGeometry {
  std::int64_t batch = 1, in_channels = 1, out_channels = 1;
  Triple in{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0};

  std::int64_t out(int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    return (in[a] + 2 * padding[a] - kernel[a]) / stride[a] + 1;
  }
  Triple out() const { return {out(0), out(1), out(2)}; }
  std::int64_t in_volume() const { return in[0] * in[1] * in[2]; }
  std::int64_t out_volume() const { return out(0) * out(1) * out(2); }
  std::int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  /// (output position, tap) pairs that touch data: the useful work per channel pair and sample.
  std::int64_t live_pairs() const;
  /// Taps that touch data for at least one output position; the others ("dead") multiply only padding.
  std::int64_t live_taps() const;
  /// Their row-major indices in the kernel, ascending: which of a dense kernel's taps are in memory.
  std::vector<std::int32_t> live_tap_list() const;
  /// Throws Error unless every extent is positive and the output is not empty.
  void check() const;
  std::string text() const;
  friend std::ostream& operator<<(std::ostream& out, const ConvGeometry& g) { return out << g.text(); }
};

/// Bytes of x, w and y as floats.
double conv_bytes(const ConvGeometry& g);

}  // namespace umbra
