// The definition of batch normalisation with its options and its adjoint, on any scalar: two passes, sums
// held in double for float. No element is read after it has been written: y may be x, and dx may be dy.
#pragma once

#include <cmath>

#include "engine/ops/batch_norm/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

/// Calls body(i) for the flat index of every element of channel c, in memory order.
template <class O, class Body>
void for_channel(const O& op, std::int64_t c, const Body& body) {
  for (std::int64_t o = 0; o < op.outer; ++o) {
    for (std::int64_t i = 0; i < op.inner; ++i) body((o * op.channels + c) * op.inner + i);
  }
}

/// y of element i from its normalised value; a NaN stays a NaN.
template <class T>
T with_options(const BatchNormOptions& options, T normalised, const T* residual, std::int64_t i) {
  const T y = options.residual ? normalised + residual[i] : normalised;
  return options.relu && y <= T(0) ? T(0) : y;
}

template <class T>
void batch_norm_forward_reference(const BatchNormForward& op, Buffers buffers, void*, Stream&) {
  using std::sqrt;
  using W = Accumulator<T>;
  const T* x = buffers.in<T>(0);      // [outer, C, inner]
  const T* gamma = buffers.in<T>(1);  // [C], as all below but residual and y
  const T* beta = buffers.in<T>(2);
  T* running_mean = buffers.out<T>(3);
  T* running_var = buffers.out<T>(4);
  const T* residual = buffers.in<T>(5);  // as x, where there is one
  T* y = buffers.out<T>(6);              // as x
  T* mean = buffers.out<T>(7);
  T* invstd = buffers.out<T>(8);
  const double count = static_cast<double>(op.count_per_channel());
  for (std::int64_t c = 0; c < op.channels; ++c) {
    W m(0), var(0);
    for_channel(op, c, [&](std::int64_t i) { m += W(x[i]); });
    m = m / W(count);
    for_channel(op, c, [&](std::int64_t i) { var += (W(x[i]) - m) * (W(x[i]) - m); });
    var = var / W(count);
    const W inverse = W(1) / sqrt(var + W(op.epsilon));
    for_channel(op, c, [&](std::int64_t i) {
      const T normalised(W(gamma[c]) * (W(x[i]) - m) * inverse + W(beta[c]));
      y[i] = with_options(op.options, normalised, residual, i);
    });
    mean[c] = T(m);
    invstd[c] = T(inverse);
    const W keep(1 - op.momentum), take(op.momentum);
    running_mean[c] = T(keep * W(running_mean[c]) + take * m);
    running_var[c] = T(keep * W(running_var[c]) + take * var * W(count / (count - 1)));
  }
}

template <class T>
void batch_norm_inference_reference(const BatchNormInference& op, Buffers buffers, void*, Stream&) {
  using std::sqrt;
  using W = Accumulator<T>;
  const T* x = buffers.in<T>(0);      // [outer, C, inner]
  const T* gamma = buffers.in<T>(1);  // [C], as all below but residual and y
  const T* beta = buffers.in<T>(2);
  const T* running_mean = buffers.in<T>(3);
  const T* running_var = buffers.in<T>(4);
  const T* residual = buffers.in<T>(5);  // as x, where there is one
  T* y = buffers.out<T>(6);              // as x
  for (std::int64_t c = 0; c < op.channels; ++c) {
    const W inverse = W(1) / sqrt(W(running_var[c]) + W(op.epsilon));
    for_channel(op, c, [&](std::int64_t i) {
      const T normalised(W(gamma[c]) * (W(x[i]) - W(running_mean[c])) * inverse + W(beta[c]));
      y[i] = with_options(op.options, normalised, residual, i);
    });
  }
}

template <class T>
void batch_norm_backward_reference(const BatchNormBackward& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  const T* dy = buffers.in<T>(0);     // [outer, C, inner]
  const T* x = buffers.in<T>(1);      // [outer, C, inner]
  const T* y = buffers.in<T>(2);      // as x, where there is a ReLU
  const T* gamma = buffers.in<T>(3);  // [C], as all below but dx and dresidual
  const T* mean = buffers.in<T>(4);
  const T* invstd = buffers.in<T>(5);
  T* dx = buffers.out<T>(6);  // as x
  T* dgamma = buffers.out<T>(7);
  T* dbeta = buffers.out<T>(8);
  T* dresidual = buffers.out<T>(9);  // as x, where there is a residual
  const W count(static_cast<double>(op.count_per_channel()));
  const auto gated = [&](std::int64_t i) { return !op.options.relu || y[i] > T(0) ? dy[i] : T(0); };
  for (std::int64_t c = 0; c < op.channels; ++c) {
    const auto xhat = [&](std::int64_t i) { return (W(x[i]) - W(mean[c])) * W(invstd[c]); };
    W sum(0), sum_xhat(0);
    for_channel(op, c, [&](std::int64_t i) {
      sum += W(gated(i));
      sum_xhat += W(gated(i)) * xhat(i);
    });
    for_channel(op, c, [&](std::int64_t i) {
      const T gradient = gated(i);
      dx[i] = T(W(gamma[c]) * W(invstd[c]) * (W(gradient) - sum / count - xhat(i) * sum_xhat / count));
      if (op.options.residual) dresidual[i] = gradient;
    });
    dgamma[c] = T(sum_xhat);
    dbeta[c] = T(sum);
  }
}

template <class T>
void batch_norm_frozen_backward_reference(const BatchNormFrozenBackward& op, Buffers buffers, void*,
                                          Stream&) {
  using std::sqrt;
  using W = Accumulator<T>;
  const T* dy = buffers.in<T>(0);     // [outer, C, inner]
  const T* x = buffers.in<T>(1);      // [outer, C, inner]
  const T* y = buffers.in<T>(2);      // as x, where there is a ReLU
  const T* gamma = buffers.in<T>(3);  // [C], as all below but dx and dresidual
  const T* running_mean = buffers.in<T>(4);
  const T* running_var = buffers.in<T>(5);
  T* dx = buffers.out<T>(6);  // as x
  T* dgamma = buffers.out<T>(7);
  T* dbeta = buffers.out<T>(8);
  T* dresidual = buffers.out<T>(9);  // as x, where there is a residual
  for (std::int64_t c = 0; c < op.channels; ++c) {
    const W inverse = W(1) / sqrt(W(running_var[c]) + W(op.epsilon));
    W sum(0), sum_xhat(0);
    for_channel(op, c, [&](std::int64_t i) {
      const T gradient = !op.options.relu || y[i] > T(0) ? dy[i] : T(0);
      sum += W(gradient);
      sum_xhat += W(gradient) * (W(x[i]) - W(running_mean[c])) * inverse;
      dx[i] = T(W(gradient) * W(gamma[c]) * inverse);
      if (op.options.residual) dresidual[i] = gradient;
    });
    dgamma[c] = T(sum_xhat);
    dbeta[c] = T(sum);
  }
}

}  // namespace umbra
