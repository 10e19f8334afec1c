// The definition of max pooling and its adjoint, on any ordered scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/max_pool/op.h"

namespace umbra {

/// The first and the one past the last input coordinate of the window of output o on `axis`.
struct PoolRange {
  std::int64_t begin, end;
};
inline PoolRange pool_range(const PoolGeometry& g, std::int64_t o, int axis) {
  const auto a = static_cast<std::size_t>(axis);
  const std::int64_t start = o * g.stride[a] - g.padding[a];
  const std::int64_t end = start + g.kernel[a];
  return {start > 0 ? start : 0, end < g.in[a] ? end : g.in[a]};
}

/// Index of the winner among the real inputs of the window of output (od, oh, ow): the first of equals; a
/// later NaN takes the place of anything, as in PyTorch.
template <class T>
std::int64_t pool_winner(const PoolGeometry& g, const T* x, std::int64_t od, std::int64_t oh,
                         std::int64_t ow) {
  const PoolRange d = pool_range(g, od, 0), h = pool_range(g, oh, 1), w = pool_range(g, ow, 2);
  std::int64_t best = (d.begin * g.in[1] + h.begin) * g.in[2] + w.begin;
  for (std::int64_t i = d.begin; i < d.end; ++i) {
    for (std::int64_t j = h.begin; j < h.end; ++j) {
      for (std::int64_t k = w.begin; k < w.end; ++k) {
        const std::int64_t at = (i * g.in[1] + j) * g.in[2] + k;
        if (x[at] > x[best] || x[at] != x[at]) best = at;
      }
    }
  }
  return best;
}

template <class T>
void max_pool_forward_reference(const MaxPoolForward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const T* x = static_cast<const T*>(buffers[0]);                 // [N, C, D, H, W]
  T* y = static_cast<T*>(buffers[1]);                             // [N, C, oD, oH, oW]
  std::int32_t* argmax = static_cast<std::int32_t*>(buffers[2]);  // [N, C, oD, oH, oW]
  std::int64_t o = 0;
  for (std::int64_t row = 0; row < g.batch * g.channels; ++row) {
    const T* volume = x + row * g.in_volume();
    for (std::int64_t i = 0; i < g.out(0); ++i) {
      for (std::int64_t j = 0; j < g.out(1); ++j) {
        for (std::int64_t k = 0; k < g.out(2); ++k, ++o) {
          argmax[o] = static_cast<std::int32_t>(pool_winner(g, volume, i, j, k));
          y[o] = volume[argmax[o]];
        }
      }
    }
  }
}

template <class T>
void max_pool_backward_reference(const MaxPoolBackward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const T* dy = static_cast<const T*>(buffers[0]);                            // [N, C, oD, oH, oW]
  const std::int32_t* argmax = static_cast<const std::int32_t*>(buffers[1]);  // [N, C, oD, oH, oW]
  T* dx = static_cast<T*>(buffers[2]);                                        // [N, C, D, H, W]
  for (std::int64_t row = 0; row < g.batch * g.channels; ++row) {
    for (std::int64_t i = 0; i < g.in_volume(); ++i) dx[row * g.in_volume() + i] = T(0);
    for (std::int64_t o = row * g.out_volume(); o < (row + 1) * g.out_volume(); ++o) {
      dx[row * g.in_volume() + argmax[o]] += dy[o];
    }
  }
}

}  // namespace umbra
