// The geometry of a convolution in two or three dimensions. A 2-D convolution is the 3-D one with extent,
// kernel, stride and dilation 1 and padding 0 on the first axis.
//
// With `groups` the channels of both sides are divided into that many groups of neighbours, and an output
// channel depends only on the input channels of its own group: Cin / groups of them. With groups = Cin the
// convolution is depthwise.
#pragma once

#include <string>
#include <vector>

#include "engine/ops/op.h"

namespace umbra {

struct ConvGeometry {
  std::int64_t batch = 1, in_channels = 1, out_channels = 1;
  Triple in{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0};
  Triple dilation{1, 1, 1};  // from one tap to the next, in input positions
  std::int64_t groups = 1;   // of channels; divides the channels of both sides

  std::int64_t out(int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    return (in[a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1) / stride[a] + 1;
  }
  Triple out() const { return {out(0), out(1), out(2)}; }
  std::int64_t in_volume() const { return in[0] * in[1] * in[2]; }
  std::int64_t out_volume() const { return out(0) * out(1) * out(2); }
  std::int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  /// Neither dilation nor groups: every rung supports such a convolution.
  bool plain() const { return dilation == Triple{1, 1, 1} && groups == 1; }
  /// Channels of one group, on either side.
  std::int64_t group_inputs() const { return in_channels / groups; }
  std::int64_t group_outputs() const { return out_channels / groups; }
  /// (output position, tap) pairs that touch data: the useful work per channel pair and sample.
  std::int64_t live_pairs() const;
  /// Taps that touch data for at least one output position; the others ("dead") multiply only padding.
  std::int64_t live_taps() const;
  /// Their row-major indices in the kernel, ascending: which of a dense kernel's taps are in memory.
  std::vector<std::int32_t> live_tap_list() const;
  /// Weights in memory: [live tap][Cin / groups][Cout].
  std::int64_t weights() const { return live_taps() * group_inputs() * out_channels; }
  /// Throws Error unless every extent is positive, the groups divide the channels and there is an output.
  void check() const;
  std::string text() const;  // "n2 c4:6 i1x5x5 k1x3x3 s1x1x1 p0x1x1", then " d1x2x2", " g2" where not 1
};

/// Bytes of x, w and y as floats.
double conv_bytes(const ConvGeometry& g);

/// Why a rung without support for dilation, or for groups, does not support this geometry; "" when it does.
std::string declines_dilation(const ConvGeometry& g);
std::string declines_groups(const ConvGeometry& g);

}  // namespace umbra
