// The definition of the fixed affine map of columns and its adjoint, on any scalar.
#pragma once

#include "engine/ops/affine/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class T>
void affine_forward_reference(const AffineForward& op, Buffers buffers, void*, Stream&) {
  const T* x = static_cast<const T*>(buffers[0]);      // [N, B]
  const T* scale = static_cast<const T*>(buffers[1]);  // [B]
  const T* shift = static_cast<const T*>(buffers[2]);  // [B]
  T* y = static_cast<T*>(buffers[3]);                  // [N, B]
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) {
    y[i] = scale[i % op.columns] * x[i] + shift[i % op.columns];
  }
}

template <class T>
void affine_backward_reference(const AffineBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = static_cast<const T*>(buffers[0]);     // [N, B]
  const T* scale = static_cast<const T*>(buffers[1]);  // [B]
  T* dx = static_cast<T*>(buffers[2]);                 // [N, B]
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) dx[i] = scale[i % op.columns] * dy[i];
}

}  // namespace umbra
