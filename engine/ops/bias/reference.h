// The definition of the bias and its adjoint, on any scalar.
#pragma once

#include "engine/ops/bias/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/wide.h"

namespace umbra {

template <class T>
void bias_forward_reference(const BiasForward& op, Buffers buffers, void*, Stream&) {
  const T* x = static_cast<const T*>(buffers[0]);     // [N, C, S]
  const T* bias = static_cast<const T*>(buffers[1]);  // [C]
  T* y = static_cast<T*>(buffers[2]);                 // [N, C, S]
  for (std::int64_t row = 0; row < op.batch * op.channels; ++row) {
    for (std::int64_t s = 0; s < op.volume; ++s) {
      y[row * op.volume + s] = x[row * op.volume + s] + bias[row % op.channels];
    }
  }
}

template <class T>
void bias_backward_reference(const BiasBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = static_cast<const T*>(buffers[0]);  // [N, C, S]
  T* dbias = static_cast<T*>(buffers[1]);           // [C]
  for (std::int64_t c = 0; c < op.channels; ++c) {
    Wide<T> sum(0);
    for (std::int64_t n = 0; n < op.batch; ++n) {
      for (std::int64_t s = 0; s < op.volume; ++s) sum += Wide<T>(dy[(n * op.channels + c) * op.volume + s]);
    }
    dbias[c] = T(sum);
  }
}

}  // namespace umbra
