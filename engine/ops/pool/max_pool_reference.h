// The definition of max pooling and its adjoint, on any ordered scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/pool/max_pool.h"

namespace umbra {

/// Position of the maximum among the real inputs of the window of output (od, oh, ow), where x[position *
/// stride] is an input: the first of equal values; a NaN replaces any earlier value, as in PyTorch.
template <class T>
std::int64_t pool_winner(const PoolGeometry& g, const T* x, std::int64_t stride, std::int64_t od,
                         std::int64_t oh, std::int64_t ow) {
  const PoolRange d = pool_range(g, od, 0), h = pool_range(g, oh, 1), w = pool_range(g, ow, 2);
  std::int64_t best = (d.begin * g.in[1] + h.begin) * g.in[2] + w.begin;
  for (std::int64_t i = d.begin; i < d.end; i += d.step) {
    for (std::int64_t j = h.begin; j < h.end; j += h.step) {
      for (std::int64_t k = w.begin; k < w.end; k += w.step) {
        const std::int64_t at = (i * g.in[1] + j) * g.in[2] + k;
        const T& value = x[at * stride];
        if (value > x[best * stride] || value != value) best = at;
      }
    }
  }
  return best;
}

template <class T>
void max_pool_forward_reference(const MaxPoolForward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const T* x = buffers.in<T>(0);                        // [D, H, W, C, N]
  T* y = buffers.out<T>(1);                             // [oD, oH, oW, C, N]
  std::int32_t* argmax = buffers.out<std::int32_t>(2);  // [oD, oH, oW, C, N]
  const std::int64_t row = g.row();
  for (std::int64_t i = 0; i < g.out(0); ++i) {
    for (std::int64_t j = 0; j < g.out(1); ++j) {
      for (std::int64_t k = 0; k < g.out(2); ++k) {
        for (std::int64_t cn = 0; cn < row; ++cn) {
          const std::int64_t winner = pool_winner(g, x + cn, row, i, j, k);
          *argmax++ = static_cast<std::int32_t>(winner);
          *y++ = x[winner * row + cn];
        }
      }
    }
  }
}

template <class T>
void max_pool_backward_reference(const MaxPoolBackward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const T* dy = buffers.in<T>(0);                            // [oD, oH, oW, C, N]
  const std::int32_t* argmax = buffers.in<std::int32_t>(1);  // [oD, oH, oW, C, N]
  T* dx = buffers.out<T>(2);                                 // [D, H, W, C, N]
  const std::int64_t row = g.row();
  for (std::int64_t i = 0; i < g.in_volume() * row; ++i) dx[i] = T(0);
  for (std::int64_t o = 0; o < g.out_volume() * row; ++o) dx[argmax[o] * row + o % row] += dy[o];
}

}  // namespace umbra
