// The definition of global average pooling and its adjoint, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/pool/mean_pool.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

template <class T>
void mean_pool_forward_reference(const MeanPoolForward& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);  // [S, C, N]
  T* y = buffers.out<T>(1);       // [C, N]
  const Accumulator<T> volume(static_cast<double>(op.volume));
  const std::int64_t row = op.channels * op.batch;
  for (std::int64_t cn = 0; cn < row; ++cn) {
    Accumulator<T> sum(0);
    for (std::int64_t s = 0; s < op.volume; ++s) sum += Accumulator<T>(x[s * row + cn]);
    y[cn] = T(sum / volume);
  }
}

template <class T>
void mean_pool_backward_reference(const MeanPoolBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = buffers.in<T>(0);  // [C, N]
  T* dx = buffers.out<T>(1);       // [S, C, N]
  const Accumulator<T> volume(static_cast<double>(op.volume));
  const std::int64_t row = op.channels * op.batch;
  for (std::int64_t i = 0; i < op.volume * row; ++i) dx[i] = T(Accumulator<T>(dy[i % row]) / volume);
}

}  // namespace umbra
