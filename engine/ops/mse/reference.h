// The definition of the mean squared error and its gradient, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/mse/op.h"
#include "engine/ops/wide.h"

namespace umbra {

template <class T>
void mean_squared_error_reference(const MeanSquaredError& op, Buffers buffers, void*, Stream&) {
  using W = Wide<T>;
  const T* p = static_cast<const T*>(buffers[0]);  // [N, K]
  const T* t = static_cast<const T*>(buffers[1]);  // [N, K]
  T* loss = static_cast<T*>(buffers[2]);           // [1]
  T* dp = static_cast<T*>(buffers[3]);             // [N, K]
  const std::int64_t count = op.rows * op.columns;
  const W terms(static_cast<double>(count));
  W sum(0);
  for (std::int64_t i = 0; i < count; ++i) {
    const W error = W(p[i]) - W(t[i]);
    sum += error * error;
    dp[i] = T(W(2) * error / terms);
  }
  loss[0] = T(sum / terms);
}

}  // namespace umbra
