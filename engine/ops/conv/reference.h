// The definition of the convolution and its adjoints in plain loops, for any scalar: float, double,
// Dual<double>. Never tuned: every other rung is compared with it. `rounded` is applied to every operand;
// with_rounding() creates it for a precision.
#pragma once

#include <algorithm>

#include "engine/ops/conv/op.h"
#include "engine/ops/shared/rounding.h"

namespace umbra {

/// Calls body(o, t, i) for every tap and every output position o whose input position i lies inside the
/// volume; t counts live taps only, as the weight does.
template <class Body>
void for_each_live_pair(const ConvGeometry& g, const Body& body) {
  const Triple out = g.out();
  std::int64_t live = 0;
  for (std::int64_t t = 0; t < g.taps(); ++t) {
    const Triple tap{t / (g.kernel[1] * g.kernel[2]), t / g.kernel[2] % g.kernel[1], t % g.kernel[2]};
    bool is_live = false;
    for (std::int64_t o = 0; o < g.out_volume(); ++o) {
      const Triple at{o / (out[1] * out[2]), o / out[2] % out[1], o % out[2]};
      std::int64_t i = 0;
      bool inside = true;
      for (std::size_t a = 0; a < 3; ++a) {
        const std::int64_t x = at[a] * g.stride[a] - g.padding[a] + tap[a] * g.dilation[a];
        inside = inside && x >= 0 && x < g.in[a];
        i = i * g.in[a] + x;
      }
      if (inside) body(o, live, i);
      is_live = is_live || inside;
    }
    if (is_live) ++live;
  }
}

/// Calls body(x, w, y) for every weight with every pair of positions that it connects: the index of the weight,
/// and those of the input and (the gradient of) the output of sample 0. The other samples follow.
template <class Body>
void for_each_row_of_samples(const ConvGeometry& g, const Body& body) {
  const std::int64_t C = g.in_channels, K = g.out_channels, N = g.batch, inputs = g.group_inputs();
  for_each_live_pair(g, [&](std::int64_t o, std::int64_t t, std::int64_t i) {
    for (std::int64_t c = 0; c < C; ++c) {
      const std::int64_t first = c / inputs * g.group_outputs();
      for (std::int64_t k = first; k < first + g.group_outputs(); ++k)
        body((i * C + c) * N, (t * inputs + c % inputs) * K + k, (o * K + k) * N);
    }
  });
}

/// y = x * w; the weights may be stored as another type.
template <class T, class W, class Rounded = NotRounded>
void conv_fprop_reference(const ConvGeometry& g, const T* x, const W* w, T* y, const Rounded& rounded = {}) {
  std::fill_n(y, g.out_volume() * g.out_channels * g.batch, T(0));
  for_each_row_of_samples(g, [&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
    const T weight = rounded(static_cast<T>(w[iw]));
    for (std::int64_t n = 0; n < g.batch; ++n) y[iy + n] += weight * rounded(x[ix + n]);
  });
}

/// dx from dy and w
template <class T, class W, class Rounded = NotRounded>
void conv_dgrad_reference(const ConvGeometry& g, const T* dy, const W* w, T* dx,
                          const Rounded& rounded = {}) {
  std::fill_n(dx, g.in_volume() * g.in_channels * g.batch, T(0));
  for_each_row_of_samples(g, [&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
    const T weight = rounded(static_cast<T>(w[iw]));
    for (std::int64_t n = 0; n < g.batch; ++n) dx[ix + n] += weight * rounded(dy[iy + n]);
  });
}

/// dw from x and dy
template <class T, class Rounded = NotRounded>
void conv_wgrad_reference(const ConvGeometry& g, const T* x, const T* dy, T* dw,
                          const Rounded& rounded = {}) {
  std::fill_n(dw, g.weights(), T(0));
  for_each_row_of_samples(g, [&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
    T sum = dw[iw];
    for (std::int64_t n = 0; n < g.batch; ++n) sum += rounded(dy[iy + n]) * rounded(x[ix + n]);
    dw[iw] = sum;
  });
}

}  // namespace umbra
