// The geometry of a convolution as plain numbers, for GPU kernels: the lists of taps.h are computed where
// they are needed (engine/cuda/tile/window_map.h), from a struct that is passed by value.
#pragma once

#include <string>

#include "engine/cuda/tile/window_map.h"
#include "engine/ops/conv/geometry.h"

namespace umbra {

struct ConvMap : WindowMap {
  int batch, in_channels, out_channels;
};

/// Why the geometry does not fit into a ConvMap whose every element has a 31-bit index; "" when it does.
inline std::string conv_map_declines(const ConvGeometry& g) {
  constexpr double kMost = 2147483647.0 - 1024;  // the index past a tile at the end must fit, too
  for (const std::int64_t extent : g.kernel) {
    if (extent > kMostAxisTaps) return "the kernel has more than 16 taps on an axis";
  }
  const auto size = [](std::int64_t a, std::int64_t b, std::int64_t c) {
    return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
  };
  const Triple out = g.out();
  const std::int64_t extents[] = {g.in[0] + 2 * g.padding[0], g.in[1] + 2 * g.padding[1],
                                  g.in[2] + 2 * g.padding[2]};
  const double inputs = size(extents[0], extents[1], extents[2]), outputs = size(out[0], out[1], out[2]);
  const double N = static_cast<double>(g.batch), C = static_cast<double>(g.in_channels);
  const double K = static_cast<double>(g.out_channels), taps = static_cast<double>(g.taps());
  const double weights = taps * static_cast<double>(g.group_inputs()) * K;
  if (inputs * C * N > kMost || outputs * K * N > kMost || weights > kMost ||
      size(g.stride[0], 1, 1) > kMost || size(g.stride[1], 1, 1) > kMost || size(g.stride[2], 1, 1) > kMost)
    return "a tensor, its padding included, has more than 2^31 - 1024 elements";
  return {};
}

/// The map of a geometry for which conv_map_declines() returns "". With dilation, only kernels that account
/// for it may use the map (window_axis()).
inline ConvMap conv_map(const ConvGeometry& g) {
  const auto number = [](std::int64_t n) { return static_cast<int>(n); };
  const auto axis = [&](std::size_t a) {
    return window_axis(number(g.in[a]), number(g.out(static_cast<int>(a))), number(g.kernel[a]),
                       number(g.stride[a]), number(g.padding[a]), number(g.dilation[a]));
  };
  return {{axis(0), axis(1), axis(2)}, number(g.batch), number(g.in_channels), number(g.out_channels)};
}

}  // namespace umbra
