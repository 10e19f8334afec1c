// The definition of the convolution and its adjoints in plain loops, for any scalar: float, double,
// Dual<double>. Never tuned: it is what every other rung is compared with.
#pragma once

#include "engine/ops/conv/op.h"

namespace umbra {

/// Calls body(o, t, i) for every output position o and tap t whose input position i lies inside the volume.
template <class Body>
void for_each_live_pair(const ConvGeometry& g, const Body& body) {
  const Triple out = g.out();
  std::int64_t o = 0;
  for (std::int64_t od = 0; od < out[0]; ++od) {
    for (std::int64_t oh = 0; oh < out[1]; ++oh) {
      for (std::int64_t ow = 0; ow < out[2]; ++ow, ++o) {
        for (std::int64_t td = 0; td < g.kernel[0]; ++td) {
          const std::int64_t d = od * g.stride[0] - g.padding[0] + td;
          if (d < 0 || d >= g.in[0]) continue;
          for (std::int64_t th = 0; th < g.kernel[1]; ++th) {
            const std::int64_t h = oh * g.stride[1] - g.padding[1] + th;
            if (h < 0 || h >= g.in[1]) continue;
            for (std::int64_t tw = 0; tw < g.kernel[2]; ++tw) {
              const std::int64_t w = ow * g.stride[2] - g.padding[2] + tw;
              if (w < 0 || w >= g.in[2]) continue;
              body(o, (td * g.kernel[1] + th) * g.kernel[2] + tw, (d * g.in[1] + h) * g.in[2] + w);
            }
          }
        }
      }
    }
  }
}

/// Calls body(n, k, c) for every sample, output channel and input channel.
template <class Body>
void for_each_channel_pair(const ConvGeometry& g, const Body& body) {
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t k = 0; k < g.out_channels; ++k) {
      for (std::int64_t c = 0; c < g.in_channels; ++c) body(n, k, c);
    }
  }
}

/// y = x * w
template <class T>
void conv_fprop_reference(const ConvGeometry& g, const T* x, const T* w, T* y) {
  const std::int64_t I = g.in_volume(), O = g.out_volume(), taps = g.taps();
  for (std::int64_t e = 0; e < g.batch * g.out_channels * O; ++e) y[e] = T(0);
  for_each_channel_pair(g, [&](std::int64_t n, std::int64_t k, std::int64_t c) {
    T* to = y + (n * g.out_channels + k) * O;
    const T* from = x + (n * g.in_channels + c) * I;
    const T* filter = w + (k * g.in_channels + c) * taps;
    for_each_live_pair(g,
                       [&](std::int64_t o, std::int64_t t, std::int64_t i) { to[o] += filter[t] * from[i]; });
  });
}

/// dx from dy and w
template <class T>
void conv_dgrad_reference(const ConvGeometry& g, const T* dy, const T* w, T* dx) {
  const std::int64_t I = g.in_volume(), O = g.out_volume(), taps = g.taps();
  for (std::int64_t e = 0; e < g.batch * g.in_channels * I; ++e) dx[e] = T(0);
  for_each_channel_pair(g, [&](std::int64_t n, std::int64_t k, std::int64_t c) {
    const T* from = dy + (n * g.out_channels + k) * O;
    T* to = dx + (n * g.in_channels + c) * I;
    const T* filter = w + (k * g.in_channels + c) * taps;
    for_each_live_pair(g,
                       [&](std::int64_t o, std::int64_t t, std::int64_t i) { to[i] += filter[t] * from[o]; });
  });
}

/// dw from x and dy
template <class T>
void conv_wgrad_reference(const ConvGeometry& g, const T* x, const T* dy, T* dw) {
  const std::int64_t I = g.in_volume(), O = g.out_volume(), taps = g.taps();
  for (std::int64_t e = 0; e < g.out_channels * g.in_channels * taps; ++e) dw[e] = T(0);
  for_each_channel_pair(g, [&](std::int64_t n, std::int64_t k, std::int64_t c) {
    const T* from = x + (n * g.in_channels + c) * I;
    const T* slope = dy + (n * g.out_channels + k) * O;
    T* to = dw + (k * g.in_channels + c) * taps;
    for_each_live_pair(g,
                       [&](std::int64_t o, std::int64_t t, std::int64_t i) { to[t] += slope[o] * from[i]; });
  });
}

}  // namespace umbra
