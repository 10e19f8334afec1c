// The definition of the rectified linear unit and its adjoint, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/relu/op.h"

namespace umbra {

template <class T>
void relu_forward_reference(const ReluForward& op, Buffers buffers, void*, Stream&) {
  const T* x = static_cast<const T*>(buffers[0]);
  T* y = static_cast<T*>(buffers[1]);
  for (std::int64_t i = 0; i < op.count; ++i) y[i] = x[i] <= T(0) ? T(0) : x[i];  // a NaN passes
}

template <class T>
void relu_backward_reference(const ReluBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = static_cast<const T*>(buffers[0]);
  const T* y = static_cast<const T*>(buffers[1]);
  T* dx = static_cast<T*>(buffers[2]);
  for (std::int64_t i = 0; i < op.count; ++i) dx[i] = y[i] > T(0) ? dy[i] : T(0);
}

}  // namespace umbra
