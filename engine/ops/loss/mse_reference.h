// The definition of the mean squared error and its gradient, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/loss/mse.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

template <class T>
void mean_squared_error_reference(const MeanSquaredError& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  const T* p = buffers.in<T>(0);  // [N, K]
  const T* t = buffers.in<T>(1);  // [N, K]
  T* loss = buffers.out<T>(2);    // [1] or, not reduced, [N, K]
  T* dp = buffers.out<T>(3);      // [N, K]
  const W terms(op.divisor());
  W sum(0);
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) {
    const W error = W(p[i]) - W(t[i]);
    if (op.reduce == Reduce::kNone) loss[i] = T(error * error);
    sum += error * error;
    dp[i] = T(W(2) * error / terms);
  }
  if (op.reduce != Reduce::kNone) loss[0] = T(sum / terms);
}

}  // namespace umbra
