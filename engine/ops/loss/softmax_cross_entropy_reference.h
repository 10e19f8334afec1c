// The definition of softmax with cross entropy and its gradient, on any scalar.
#pragma once

#include <cmath>
#include <limits>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/softmax_cross_entropy.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

/// q[k] of a row with this label; `weights` may be null. Without smoothing the other classes have no share,
/// whatever their weights and logits.
template <class T>
Accumulator<T> target_share(const SoftmaxCrossEntropy& op, const T* weights, std::int64_t label,
                            std::int64_t k) {
  using W = Accumulator<T>;
  const double smoothing = op.rule.label_smoothing;
  const double share = (k == label ? 1 - smoothing : 0) + smoothing / static_cast<double>(op.columns);
  return weights != nullptr && share != 0 ? W(share) * W(weights[k]) : W(share);
}

/// D, the divisor of the sum of the rows' losses.
template <class T>
Accumulator<T> cross_entropy_divisor(const SoftmaxCrossEntropy& op, const std::int32_t* label,
                                     const T* weights) {
  using W = Accumulator<T>;
  if (op.rule.reduce != Reduce::kMean) return W(1);
  W sum(0);
  for (std::int64_t n = 0; n < op.rows; ++n) {
    if (op.rule.counts(label[n], op.columns)) sum += weights != nullptr ? W(weights[label[n]]) : W(1);
  }
  return sum;
}

/// The loss of a row that counts; dz becomes its gradient, divided by `divisor`.
template <class T>
Accumulator<T> cross_entropy_row(const SoftmaxCrossEntropy& op, const T* z, std::int64_t label,
                                 const T* weights, const Accumulator<T>& divisor, T* dz) {
  using std::exp, std::log;
  using W = Accumulator<T>;
  W largest(z[0]), sum(0), loss(0), shares(0);
  for (std::int64_t k = 1; k < op.columns; ++k) largest = W(z[k]) > largest ? W(z[k]) : largest;
  for (std::int64_t k = 0; k < op.columns; ++k) sum += exp(W(z[k]) - largest);
  for (std::int64_t k = 0; k < op.columns; ++k) {
    if (k != label && op.rule.label_smoothing == 0) continue;
    const W share = target_share(op, weights, label, k);
    loss += share * (log(sum) + largest - W(z[k]));
    shares += share;
  }
  for (std::int64_t k = 0; k < op.columns; ++k) {
    const W probability = exp(W(z[k]) - largest) / sum;
    dz[k] = T((shares * probability - target_share(op, weights, label, k)) / divisor);
  }
  return loss;
}

template <class T>
void softmax_cross_entropy_reference(const SoftmaxCrossEntropy& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  const T* z = buffers.in<T>(0);                                          // [N, K]
  const std::int32_t* label = buffers.in<std::int32_t>(1);                // [N]
  const T* weights = op.rule.class_weights ? buffers.in<T>(2) : nullptr;  // [K]
  T* loss = buffers.out<T>(3);                                            // [1] or, not reduced, [N]
  T* dz = buffers.out<T>(4);                                              // [N, K]
  const W divisor = cross_entropy_divisor(op, label, weights);
  W total(0);
  for (std::int64_t n = 0; n < op.rows; ++n) {
    T* const gradient = dz + n * op.columns;
    W of_row(op.rule.ignores(label[n]) ? 0 : std::numeric_limits<double>::quiet_NaN());
    if (op.rule.counts(label[n], op.columns)) {
      of_row = cross_entropy_row(op, z + n * op.columns, label[n], weights, divisor, gradient);
    } else {
      for (std::int64_t k = 0; k < op.columns; ++k) gradient[k] = T(0);
    }
    if (op.rule.reduce == Reduce::kNone) loss[n] = T(of_row);
    total += of_row;
  }
  if (op.rule.reduce != Reduce::kNone) loss[0] = T(total / divisor);
}

}  // namespace umbra
