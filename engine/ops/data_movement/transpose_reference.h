// The definition of the conversion of the memory order, on any scalar.
#pragma once

#include "engine/ops/data_movement/transpose.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class T>
void transpose_reference(const Transpose& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);  // [N, C, S], or [S, C, N] in the reverse direction
  T* y = buffers.out<T>(1);       // [S, C, N], or [N, C, S] in the reverse direction
  for (std::int64_t n = 0; n < op.batch; ++n) {
    for (std::int64_t c = 0; c < op.channels; ++c) {
      for (std::int64_t s = 0; s < op.volume; ++s) {
        const std::int64_t sample_first = (n * op.channels + c) * op.volume + s;
        const std::int64_t batch_last = (s * op.channels + c) * op.batch + n;
        if (op.to == TransposeTo::kBatchLast) y[batch_last] = x[sample_first];
        if (op.to == TransposeTo::kSampleFirst) y[sample_first] = x[batch_last];
      }
    }
  }
}

}  // namespace umbra
