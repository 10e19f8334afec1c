// Losses in the gauntlet: their bounds.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/ops/loss/chi2.h"
#include "engine/ops/loss/mse.h"
#include "engine/ops/loss/poisson.h"
#include "engine/ops/loss/softmax_cross_entropy.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Bound, gauntlet::bound, gauntlet::Values;
using gauntlet::magnitudes_of_outputs, gauntlet::usual_growth;

/// Differences of exact inputs are exact up to u, and a loss adds squares: every error is relative to the
/// result.
template <class O>
Bound bound_of_squared_error(const O& op, const Values&, const Values& want) {
  return {magnitudes_of_outputs(want), usual_growth(op)};
}

/// error = (L(p) - L(t)) / sigma; each logarithm is rounded relative to itself, and they cancel.
Bound bound_of(const Chi2Log& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const double terms = static_cast<double>(op.rows * op.columns);
  double loss = 0;
  for (std::size_t i = 0; i < in[0].size(); ++i) {
    const double p = in[0][i], sigma = in[2][i % static_cast<std::size_t>(op.columns)];
    const double derivative = 1 / (std::max(p, op.floor) * std::numbers::ln10);
    const double of_p = p >= op.floor
                            ? std::abs(std::log10(p))
                            : std::abs(std::log10(op.floor)) + (std::abs(p) + op.floor) * derivative;
    const double size = (of_p + std::abs(std::log10(std::max(in[1][i], op.floor))) + 0.5) / sigma;
    loss += size * size / terms;
    bound.magnitude[4][i] = 2 * size * derivative / (sigma * terms);
  }
  bound.magnitude[3][0] = loss;
  return bound;
}

/// mu - k log mu, where mu is rounded relative to itself, which adds k u to k log mu, and both may cancel.
Bound bound_of(const Poisson& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const auto rows = static_cast<double>(op.rows);
  bound.magnitude[2][0] = 0;
  for (std::size_t i = 0; i < in[0].size(); ++i) {
    const double mu = op.exposure * in[0][i], k = op.exposure * in[1][i];
    bound.magnitude[2][0] += (mu + k * (std::abs(std::log(mu)) + 1)) / rows;
    bound.magnitude[3][i] = op.exposure * (1 + k / mu) / rows;
  }
  return bound;
}

/// The weights of the classes in the loss of row n, and the divisor of the losses.
struct CrossEntropyShares {
  CrossEntropyShares(const SoftmaxCrossEntropy& op, const Values& in) : op_(op), in_(in) {
    if (op.rule.reduce != Reduce::kMean) return;
    divisor = 0;
    for (std::size_t n = 0; n < in[1].size(); ++n) {
      if (counts(n)) divisor += weight(label(n));
    }
  }
  std::size_t label(std::size_t n) const { return static_cast<std::size_t>(in_[1][n]); }
  bool counts(std::size_t n) const {
    return op_.rule.counts(static_cast<std::int64_t>(in_[1][n]), op_.columns);
  }
  double weight(std::size_t k) const { return op_.rule.class_weights ? in_[2][k] : 1; }
  double share(std::size_t n, std::size_t k) const {
    const double smoothing = op_.rule.label_smoothing;
    return weight(k) * (smoothing / static_cast<double>(op_.columns) + (k == label(n) ? 1 - smoothing : 0));
  }

  double divisor = 1;

 private:
  const SoftmaxCrossEntropy& op_;
  const Values& in_;
};

/// z - max is rounded relative to itself, which exp turns into a relative error of u |z - max| of every
/// probability. The loss of an ignored row is exactly 0.
Bound bound_of(const SoftmaxCrossEntropy& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const CrossEntropyShares shares(op, in);
  const auto columns = static_cast<std::size_t>(op.columns);
  double total = 0;
  for (std::size_t n = 0; n < static_cast<std::size_t>(op.rows); ++n) {
    if (!shares.counts(n)) continue;
    const double* z = in[0].data() + n * columns;
    const double largest = *std::max_element(z, z + columns);
    double sum = 0, drift = 0, all = 0, loss = 0;  // drift: mean relative error of the sum, in u
    for (std::size_t k = 0; k < columns; ++k) sum += std::exp(z[k] - largest);
    for (std::size_t k = 0; k < columns; ++k) drift += std::exp(z[k] - largest) / sum * (1 + largest - z[k]);
    for (std::size_t k = 0; k < columns; ++k) {
      all += shares.share(n, k);
      loss += shares.share(n, k) * (std::log(sum) + std::abs(largest) + std::abs(z[k]) + drift);
    }
    for (std::size_t k = 0; k < columns; ++k) {
      const double own = all * std::exp(z[k] - largest) / sum * (1 + largest - z[k] + drift);
      bound.magnitude[4][n * columns + k] = (own + shares.share(n, k)) / shares.divisor;
    }
    if (op.rule.reduce == Reduce::kNone) bound.magnitude[3][n] = loss;
    total += loss;
  }
  if (op.rule.reduce != Reduce::kNone) bound.magnitude[3][0] = total / shares.divisor;
  return bound;
}

}  // namespace

std::vector<gauntlet::OpRules> loss_rules() {
  return {{.op = MeanSquaredError::kName, .bound = bound<MeanSquaredError, bound_of_squared_error>},
          {.op = Chi2Linear::kName, .bound = bound<Chi2Linear, bound_of_squared_error>},
          {.op = Chi2Log::kName, .bound = bound<Chi2Log, bound_of>},
          {.op = Poisson::kName, .bound = bound<Poisson, bound_of>},
          {.op = SoftmaxCrossEntropy::kName, .bound = bound<SoftmaxCrossEntropy, bound_of>}};
}

}  // namespace umbra
