// The definitions of softmax and its logarithm along an axis and of their gradients, on any scalar.
#pragma once

#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/shared/accumulator.h"
#include "engine/ops/softmax/op.h"

namespace umbra {

template <class T>
void softmax_forward_reference(const SoftmaxForward& op, Buffers buffers, void*, Stream&) {
  using std::exp, std::log;
  using W = Accumulator<T>;
  if (op.count() == 0) return;
  for (std::int64_t row = 0; row < op.rows(); ++row) {
    const T* x = buffers.in<T>(0) + op.first(row);  // [outer, K, inner]
    T* y = buffers.out<T>(1) + op.first(row);       // the same
    W largest(x[0]), sum(0);
    for (std::int64_t i = 0; i < op.extent * op.inner; i += op.inner)
      largest = W(x[i]) > largest ? W(x[i]) : largest;
    for (std::int64_t i = 0; i < op.extent * op.inner; i += op.inner) sum += exp(W(x[i]) - largest);
    for (std::int64_t i = 0; i < op.extent * op.inner; i += op.inner) {
      const W shifted = W(x[i]) - largest;
      y[i] = T(op.log ? shifted - log(sum) : exp(shifted) / sum);
    }
  }
}

template <class T>
void softmax_backward_reference(const SoftmaxBackward& op, Buffers buffers, void*, Stream&) {
  using std::exp;
  using W = Accumulator<T>;
  if (op.count() == 0) return;
  for (std::int64_t row = 0; row < op.rows(); ++row) {
    const T* dy = buffers.in<T>(0) + op.first(row);  // [outer, K, inner]
    const T* y = buffers.in<T>(1) + op.first(row);   // the same
    T* dx = buffers.out<T>(2) + op.first(row);       // the same
    W sum(0);
    for (std::int64_t i = 0; i < op.extent * op.inner; i += op.inner)
      sum += op.log ? W(dy[i]) : W(dy[i]) * W(y[i]);
    for (std::int64_t i = 0; i < op.extent * op.inner; i += op.inner)
      dx[i] = T(op.log ? W(dy[i]) - exp(W(y[i])) * sum : W(y[i]) * (W(dy[i]) - sum));
  }
}

}  // namespace umbra
