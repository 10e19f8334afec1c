// The definitions of the two chi^2 losses and their gradients, on any scalar.
#pragma once

#include <cmath>
#include <numbers>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/chi2.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

template <class T>
void chi2_linear_reference(const Chi2Linear& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  const T* p = buffers.in<T>(0);      // [N, B]
  const T* t = buffers.in<T>(1);      // [N, B]
  const T* sigma = buffers.in<T>(2);  // [B]
  T* loss = buffers.out<T>(3);        // [1]
  T* dp = buffers.out<T>(4);          // [N, B]
  const W rows(static_cast<double>(op.rows));
  W sum(0);
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) {
    const W s(sigma[i % op.columns]);
    const W error = (W(p[i]) - W(t[i])) / s;
    sum += error * error;
    dp[i] = T(W(2) * error / (s * rows));
  }
  loss[0] = T(sum / rows);
}

/// log10(q), below `floor` continued by its tangent there.
template <class W>
W chi2_log10(W q, double floor) {
  using std::log10;
  if (q >= W(floor)) return log10(q);
  return W(std::log10(floor)) + (q - W(floor)) / W(floor * std::numbers::ln10);
}

/// Its derivative.
template <class W>
W chi2_log10_derivative(W q, double floor) {
  return W(1) / ((q >= W(floor) ? q : W(floor)) * W(std::numbers::ln10));
}

template <class T>
void chi2_log_reference(const Chi2Log& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  const T* p = buffers.in<T>(0);      // [N, B]
  const T* t = buffers.in<T>(1);      // [N, B]
  const T* sigma = buffers.in<T>(2);  // [B]
  T* loss = buffers.out<T>(3);        // [1]
  T* dp = buffers.out<T>(4);          // [N, B]
  const W terms(static_cast<double>(op.rows * op.columns));
  W sum(0);
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) {
    const W s(sigma[i % op.columns]);
    const W target = W(t[i]) > W(op.floor) ? W(t[i]) : W(op.floor);
    const W error = (chi2_log10(W(p[i]), op.floor) - chi2_log10(target, op.floor)) / s;
    sum += error * error;
    dp[i] = T(W(2) * error * chi2_log10_derivative(W(p[i]), op.floor) / (s * terms));
  }
  loss[0] = T(sum / terms);
}

}  // namespace umbra
