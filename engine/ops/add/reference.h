// The definition of the elementwise sum, on any scalar.
#pragma once

#include "engine/ops/add/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class T>
void add_reference(const Add& op, Buffers buffers, void*, Stream&) {
  const T* a = static_cast<const T*>(buffers[0]);
  const T* b = static_cast<const T*>(buffers[1]);
  T* y = static_cast<T*>(buffers[2]);
  for (std::int64_t i = 0; i < op.count; ++i) y[i] = a[i] + b[i];
}

}  // namespace umbra
