// The definitions of scaling and of setting a buffer, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/scale/op.h"

namespace umbra {

template <class T>
void scale_reference(const Scale& op, Buffers buffers, void*, Stream&) {
  T* x = static_cast<T*>(buffers[0]);
  const T factor = *static_cast<const T*>(buffers[1]);
  for (std::int64_t i = 0; i < op.count; ++i) x[i] = factor * x[i];
}

template <class T>
void set_value_reference(const SetValue& op, Buffers buffers, void*, Stream&) {
  T* x = static_cast<T*>(buffers[0]);
  for (std::int64_t i = 0; i < op.count; ++i) x[i] = T(op.value);
}

}  // namespace umbra
