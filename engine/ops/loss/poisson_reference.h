// The definition of the Poisson likelihood and its gradient, on any scalar.
#pragma once

#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/poisson.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

template <class T>
void poisson_reference(const Poisson& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  using std::log;
  const T* p = buffers.in<T>(0);  // [N, B]
  const T* t = buffers.in<T>(1);  // [N, B]
  T* loss = buffers.out<T>(2);    // [1]
  T* dp = buffers.out<T>(3);      // [N, B]
  const W rows(static_cast<double>(op.rows)), exposure(op.exposure), smallest(Poisson::kSmallestMean);
  W sum(0);
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) {
    const W mu = exposure * W(p[i]), k = exposure * W(t[i]);
    const bool above = mu >= smallest;
    sum += mu - k * (above ? log(mu) : log(smallest) + (mu - smallest) / smallest);
    dp[i] = T(exposure * (W(1) - k / (above ? mu : smallest)) / rows);
  }
  loss[0] = T(sum / rows);
}

}  // namespace umbra
