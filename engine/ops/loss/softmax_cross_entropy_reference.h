// The definition of softmax with cross entropy and its gradient, on any scalar.
#pragma once

#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/softmax_cross_entropy.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

template <class T>
void softmax_cross_entropy_reference(const SoftmaxCrossEntropy& op, Buffers buffers, void*, Stream&) {
  using std::exp, std::log;
  using W = Accumulator<T>;
  const T* z = buffers.in<T>(0);                            // [N, K]
  const std::int32_t* label = buffers.in<std::int32_t>(1);  // [N]
  T* loss = buffers.out<T>(2);                              // [1]
  T* dz = buffers.out<T>(3);                                // [N, K]
  const W rows(static_cast<double>(op.rows));
  W total(0);
  for (std::int64_t n = 0; n < op.rows; ++n) {
    const T* row = z + n * op.columns;
    W largest(row[0]), sum(0);
    for (std::int64_t k = 1; k < op.columns; ++k) largest = W(row[k]) > largest ? W(row[k]) : largest;
    for (std::int64_t k = 0; k < op.columns; ++k) sum += exp(W(row[k]) - largest);
    total += log(sum) + largest - W(row[label[n]]);
    for (std::int64_t k = 0; k < op.columns; ++k) {
      const W probability = exp(W(row[k]) - largest) / sum;
      dz[n * op.columns + k] = T((probability - W(k == label[n] ? 1.0 : 0.0)) / rows);
    }
  }
  loss[0] = T(total / rows);
}

}  // namespace umbra
