// The definitions, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/peak/op.h"

namespace umbra {

template <class T>
void peak_fma_reference(const PeakFma& op, Buffers buffers, void*, Stream&) {
  const T* x = static_cast<const T*>(buffers[0]);
  T* y = static_cast<T*>(buffers[1]);
  for (std::int64_t i = 0; i < op.count; ++i) {
    T sum(0);
    for (int j = 0; j < kPeakChains; ++j) {
      T s = x[i] + T(j);
      for (std::int64_t r = 0; r < op.rounds; ++r) s = s * T(kPeakFactor) + T(kPeakShift);
      sum += s;
    }
    y[i] = sum;
  }
}

template <class T>
void peak_copy_reference(const PeakCopy& op, Buffers buffers, void*, Stream&) {
  const T* x = static_cast<const T*>(buffers[0]);
  T* y = static_cast<T*>(buffers[1]);
  for (std::int64_t i = 0; i < op.count; ++i) y[i] = x[i];
}

}  // namespace umbra
