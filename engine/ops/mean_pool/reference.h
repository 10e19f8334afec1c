// The definition of global average pooling and its adjoint, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/mean_pool/op.h"
#include "engine/ops/wide.h"

namespace umbra {

template <class T>
void mean_pool_forward_reference(const MeanPoolForward& op, Buffers buffers, void*, Stream&) {
  const T* x = static_cast<const T*>(buffers[0]);  // [S, C, N]
  T* y = static_cast<T*>(buffers[1]);              // [C, N]
  const Wide<T> volume(static_cast<double>(op.volume));
  const std::int64_t row = op.channels * op.batch;
  for (std::int64_t cn = 0; cn < row; ++cn) {
    Wide<T> sum(0);
    for (std::int64_t s = 0; s < op.volume; ++s) sum += Wide<T>(x[s * row + cn]);
    y[cn] = T(sum / volume);
  }
}

template <class T>
void mean_pool_backward_reference(const MeanPoolBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = static_cast<const T*>(buffers[0]);  // [C, N]
  T* dx = static_cast<T*>(buffers[1]);              // [S, C, N]
  const Wide<T> volume(static_cast<double>(op.volume));
  const std::int64_t row = op.channels * op.batch;
  for (std::int64_t i = 0; i < op.volume * row; ++i) dx[i] = T(Wide<T>(dy[i % row]) / volume);
}

}  // namespace umbra
