// The definition of average pooling over windows and its adjoint, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/pool/average_pool.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

/// Calls body(position) for the inputs under the taps of window o, in memory order.
template <class Body>
void for_each_tap(const PoolGeometry& g, std::int64_t o, const Body& body) {
  const PoolRange d = pool_range(g, o / g.out(2) / g.out(1), 0);
  const PoolRange h = pool_range(g, o / g.out(2) % g.out(1), 1);
  const PoolRange w = pool_range(g, o % g.out(2), 2);
  for (std::int64_t i = d.begin; i < d.end; ++i) {
    for (std::int64_t j = h.begin; j < h.end; ++j) {
      for (std::int64_t k = w.begin; k < w.end; ++k) body((i * g.in[1] + j) * g.in[2] + k);
    }
  }
}

/// S of window o.
inline double counted_taps(const AveragePoolOp& op, std::int64_t o) {
  const PoolGeometry& g = op.geometry;
  return static_cast<double>(op.counted(o / g.out(2) / g.out(1), 0) * op.counted(o / g.out(2) % g.out(1), 1) *
                             op.counted(o % g.out(2), 2));
}

template <class T>
void average_pool_forward_reference(const AveragePoolForward& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  const T* x = buffers.in<T>(0);  // [D, H, W, C, N]
  T* y = buffers.out<T>(1);       // [oD, oH, oW, C, N]
  const std::int64_t row = op.geometry.row();
  for (std::int64_t o = 0; o < op.geometry.out_volume(); ++o) {
    for (std::int64_t cn = 0; cn < row; ++cn) {
      W sum(0);
      for_each_tap(op.geometry, o, [&](std::int64_t i) { sum += W(x[i * row + cn]); });
      y[o * row + cn] = T(sum / W(counted_taps(op, o)));
    }
  }
}

template <class T>
void average_pool_backward_reference(const AveragePoolBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = buffers.in<T>(0);  // [oD, oH, oW, C, N]
  T* dx = buffers.out<T>(1);       // [D, H, W, C, N]
  const std::int64_t row = op.geometry.row();
  for (std::int64_t i = 0; i < op.geometry.in_volume() * row; ++i) dx[i] = T(0);
  for (std::int64_t o = 0; o < op.geometry.out_volume(); ++o) {
    const Accumulator<T> taps(counted_taps(op, o));
    for_each_tap(op.geometry, o, [&](std::int64_t i) {
      for (std::int64_t cn = 0; cn < row; ++cn)
        dx[i * row + cn] += T(Accumulator<T>(dy[o * row + cn]) / taps);
    });
  }
}

}  // namespace umbra
