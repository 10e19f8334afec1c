// Softmax with cross entropy, rows in parallel, one exponential per number; the rows' losses are added in
// order, in double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/softmax_cross_entropy.h"
#include "engine/ops/shared/chunks.h"

namespace umbra {
namespace {

/// The data that a row needs besides its logits and its label.
struct Targets {
  Targets(const SoftmaxCrossEntropy& op, const std::int32_t* label, const float* weights_)
      : weights(weights_),
        columns(op.columns),
        own(1 - op.rule.label_smoothing),
        spread(op.rule.label_smoothing / static_cast<double>(op.columns)) {
    if (op.rule.reduce != Reduce::kMean) return;
    divisor = 0;
    for (std::int64_t n = 0; n < op.rows; ++n) {
      if (op.rule.counts(label[n], columns)) divisor += weight(label[n]);
    }
  }
  double weight(std::int64_t k) const { return weights != nullptr ? static_cast<double>(weights[k]) : 1; }

  const float* weights;  // [K], or null: all 1
  std::int64_t columns;
  double own, spread;  // shares of the label and, by smoothing, of every class; without weights
  double divisor = 1;  // D
};

/// Loss of one row that counts; dz becomes its gradient over D.
double softmax_row(const Targets& t, const float* z, std::int64_t label, float* dz) {
  const double largest = static_cast<double>(*std::max_element(z, z + t.columns));
  double sum = 0;
  for (std::int64_t k = 0; k < t.columns; ++k) {
    const double power = std::exp(static_cast<double>(z[k]) - largest);
    dz[k] = static_cast<float>(power);
    sum += power;
  }
  const double share = (t.own + t.spread) * t.weight(label);
  const double top = std::log(sum) + largest;  // top minus a logit is -log p
  double loss = share * (top - static_cast<double>(z[label]));
  double others = 0;  // shares of the other classes
  for (std::int64_t k = 0; t.spread > 0 && k < t.columns; ++k) {
    if (k == label) continue;
    loss += t.spread * t.weight(k) * (top - static_cast<double>(z[k]));
    others += t.spread * t.weight(k);
  }
  const double factor = (share + others) / (sum * t.divisor);
  // The label's own probability from its exact logit: p - 1 cancels where p is close to 1.
  const double own = std::exp(static_cast<double>(z[label]) - largest) / sum;
  for (std::int64_t k = 0; k < t.columns; ++k)
    dz[k] = static_cast<float>(static_cast<double>(dz[k]) * factor);
  for (std::int64_t k = 0; t.spread > 0 && k < t.columns; ++k)
    dz[k] = static_cast<float>(static_cast<double>(dz[k]) - t.spread * t.weight(k) / t.divisor);
  dz[label] = static_cast<float>(((share + others) * (own - 1) + others) / t.divisor);
  return loss;
}

void run(const SoftmaxCrossEntropy& op, Buffers buffers, void* workspace, Stream&) {
  const float* z = buffers.in(0);                                          // [N, K]
  const std::int32_t* label = buffers.in<std::int32_t>(1);                 // [N]
  const float* weights = op.rule.class_weights ? buffers.in(2) : nullptr;  // [K]
  float* loss = buffers.out(3);                                            // [1] or, not reduced, [N]
  float* dz = buffers.out(4);                                              // [N, K]
  double* losses = static_cast<double*>(workspace);                        // [N]
  const Targets targets(op, label, weights);
  parallel_chunks(op.rows, rows_per_chunk(op.columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      float* const gradient = dz + n * op.columns;
      if (op.rule.counts(label[n], op.columns)) {
        losses[n] = softmax_row(targets, z + n * op.columns, label[n], gradient);
        continue;
      }
      std::fill_n(gradient, op.columns, 0.0f);
      losses[n] = op.rule.ignores(label[n]) ? 0 : std::numeric_limits<double>::quiet_NaN();
    }
  });
  if (op.rule.reduce == Reduce::kNone) {
    for (std::int64_t n = 0; n < op.rows; ++n) loss[n] = static_cast<float>(losses[n]);
    return;
  }
  double total = 0;
  for (std::int64_t n = 0; n < op.rows; ++n) total += losses[n];
  *loss = static_cast<float>(total / targets.divisor);
}

std::size_t workspace_bytes(const SoftmaxCrossEntropy& op) {
  return static_cast<std::size_t>(op.rows) * sizeof(double);
}

}  // namespace

Kernel softmax_cross_entropy_cpu_1_rows() {
  return make_kernel<SoftmaxCrossEntropy, run, nullptr, workspace_bytes>();
}

}  // namespace umbra
