// The definition of the scaling of rows, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/loss/scale_rows.h"

namespace umbra {

template <class T>
void scale_rows_reference(const ScaleRows& op, Buffers buffers, void*, Stream&) {
  T* x = buffers.out<T>(0);            // [N, K]
  const T* factor = buffers.in<T>(1);  // [N]
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) x[i] = x[i] * factor[i / op.columns];
}

}  // namespace umbra
