// The definition of batch normalisation and its adjoint, on any scalar: two passes, sums held in double for
// float.
#pragma once

#include <cmath>

#include "engine/ops/batch_norm/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/wide.h"

namespace umbra {

/// The variance of one number says nothing, and the unbiased one divides by zero.
inline std::string needs_two_values(const BatchNormForward& op) {
  return op.batch * op.volume >= 2 ? "" : "needs at least two values per channel to train";
}
inline std::string needs_a_value(const BatchNormBackward& op) {
  return op.batch * op.volume >= 1 ? "" : "needs at least one value per channel";
}

/// Calls body(i) for the flat index of every element of channel c, in memory order.
template <class O, class Body>
void for_channel(const O& op, std::int64_t c, const Body& body) {
  for (std::int64_t n = 0; n < op.batch; ++n) {
    for (std::int64_t s = 0; s < op.volume; ++s) body((n * op.channels + c) * op.volume + s);
  }
}

template <class T>
void batch_norm_forward_reference(const BatchNormForward& op, Buffers buffers, void*, Stream&) {
  using std::sqrt;
  using W = Wide<T>;
  const T* x = static_cast<const T*>(buffers[0]);      // [N, C, S]
  const T* gamma = static_cast<const T*>(buffers[1]);  // [C], as all below but y
  const T* beta = static_cast<const T*>(buffers[2]);
  T* running_mean = static_cast<T*>(buffers[3]);
  T* running_var = static_cast<T*>(buffers[4]);
  T* y = static_cast<T*>(buffers[5]);  // [N, C, S]
  T* mean = static_cast<T*>(buffers[6]);
  T* invstd = static_cast<T*>(buffers[7]);
  const double count = static_cast<double>(op.batch * op.volume);
  for (std::int64_t c = 0; c < op.channels; ++c) {
    W m(0), var(0);
    for_channel(op, c, [&](std::int64_t i) { m += W(x[i]); });
    m = m / W(count);
    for_channel(op, c, [&](std::int64_t i) { var += (W(x[i]) - m) * (W(x[i]) - m); });
    var = var / W(count);
    const W inverse = W(1) / sqrt(var + W(op.epsilon));
    for_channel(op, c, [&](std::int64_t i) { y[i] = T(W(gamma[c]) * (W(x[i]) - m) * inverse + W(beta[c])); });
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
  using W = Wide<T>;
  const T* x = static_cast<const T*>(buffers[0]);      // [N, C, S]
  const T* gamma = static_cast<const T*>(buffers[1]);  // [C], as all below but y
  const T* beta = static_cast<const T*>(buffers[2]);
  const T* running_mean = static_cast<const T*>(buffers[3]);
  const T* running_var = static_cast<const T*>(buffers[4]);
  T* y = static_cast<T*>(buffers[5]);  // [N, C, S]
  for (std::int64_t c = 0; c < op.channels; ++c) {
    const W inverse = W(1) / sqrt(W(running_var[c]) + W(op.epsilon));
    for_channel(op, c, [&](std::int64_t i) {
      y[i] = T(W(gamma[c]) * (W(x[i]) - W(running_mean[c])) * inverse + W(beta[c]));
    });
  }
}

template <class T>
void batch_norm_backward_reference(const BatchNormBackward& op, Buffers buffers, void*, Stream&) {
  using W = Wide<T>;
  const T* dy = static_cast<const T*>(buffers[0]);     // [N, C, S]
  const T* x = static_cast<const T*>(buffers[1]);      // [N, C, S]
  const T* gamma = static_cast<const T*>(buffers[2]);  // [C], as all below but dx
  const T* mean = static_cast<const T*>(buffers[3]);
  const T* invstd = static_cast<const T*>(buffers[4]);
  T* dx = static_cast<T*>(buffers[5]);  // [N, C, S]
  T* dgamma = static_cast<T*>(buffers[6]);
  T* dbeta = static_cast<T*>(buffers[7]);
  const W count(static_cast<double>(op.batch * op.volume));
  for (std::int64_t c = 0; c < op.channels; ++c) {
    const auto xhat = [&](std::int64_t i) { return (W(x[i]) - W(mean[c])) * W(invstd[c]); };
    W sum(0), sum_xhat(0);
    for_channel(op, c, [&](std::int64_t i) {
      sum += W(dy[i]);
      sum_xhat += W(dy[i]) * xhat(i);
    });
    for_channel(op, c, [&](std::int64_t i) {
      dx[i] = T(W(gamma[c]) * W(invstd[c]) * (W(dy[i]) - sum / count - xhat(i) * sum_xhat / count));
    });
    dgamma[c] = T(sum_xhat);
    dbeta[c] = T(sum);
  }
}

}  // namespace umbra
