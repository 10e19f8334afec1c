// The definition of global average pooling and its adjoint, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/mean_pool/op.h"
#include "engine/ops/wide.h"

namespace umbra {

template <class T>
void mean_pool_forward_reference(const MeanPoolForward& op, Buffers buffers, void*, Stream&) {
  const T* x = static_cast<const T*>(buffers[0]);  // [N, C, S]
  T* y = static_cast<T*>(buffers[1]);              // [N, C]
  const Wide<T> volume(static_cast<double>(op.volume));
  for (std::int64_t row = 0; row < op.batch * op.channels; ++row) {
    Wide<T> sum(0);
    for (std::int64_t s = 0; s < op.volume; ++s) sum += Wide<T>(x[row * op.volume + s]);
    y[row] = T(sum / volume);
  }
}

template <class T>
void mean_pool_backward_reference(const MeanPoolBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = static_cast<const T*>(buffers[0]);  // [N, C]
  T* dx = static_cast<T*>(buffers[1]);              // [N, C, S]
  const Wide<T> volume(static_cast<double>(op.volume));
  for (std::int64_t row = 0; row < op.batch * op.channels; ++row) {
    for (std::int64_t s = 0; s < op.volume; ++s) dx[row * op.volume + s] = T(Wide<T>(dy[row]) / volume);
  }
}

}  // namespace umbra
