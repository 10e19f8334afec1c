// How far a correct kernel may be from the double-precision reference.
//
// An output y is computed from exact inputs by roundings, each of relative size u at most (u = 2^-24 for
// float, 2^-53 for double) of a term, so to first order  |error| <= u sum_j |term_j| n_j  with n_j the
// roundings term j takes part in. With M = sum_j |term_j|, the *magnitude* of y:
//  - a sum of K terms in any order has n_j <= K. Roundings are as good as independent and of zero mean, for
//  which
//    Higham & Mary (2019, SIAM J. Sci. Comput. 41, A2815, theorem 2.4) give  |error| <= lambda sqrt(K) u M
//    except with probability 2 K exp(-lambda^2 / 2): below 1e-8 for lambda = 8 and K = 1e5. Linear growth in
//    K would be so wide for K > 1 / sqrt(u) = 4096 that a missing term could hide in it;
//  - the few operations before and after the sum add a constant, at most 8 here.
// Hence  tolerance = u (8 + 8 sqrt(K)) M,  K = Op::sum_length(), u that of the output buffer, plus the
// smallest normal number, below which floats have no relative accuracy.
//
// The magnitude of an op that is linear in each of its inputs (convolution, linear, bias, pooling, …) or
// picks among them (relu, max pooling) is the op itself on the inputs' absolute values. For the others it is
// written out below.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <vector>

#include "engine/ops/adam/op.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/batch_norm_relu/op.h"
#include "engine/ops/chi2/op.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/conv_inference/op.h"
#include "engine/ops/mse/op.h"
#include "engine/ops/sgd/op.h"
#include "engine/ops/softmax_cross_entropy/op.h"

namespace umbra::gauntlet {

using Values = std::vector<std::vector<double>>;  // one list per buffer

struct Bound {
  Values magnitude;  // for output buffers
  double growth;     // tolerance = u growth magnitude
};

inline double usual_growth(const Op& op) {
  return 8 + 8 * std::sqrt(op.sum_length());
}

inline double unit_roundoff(DType dtype) {
  return dtype == DType::kF32 ? 0x1p-24 : 0x1p-53;
}

inline Values magnitudes_of_outputs(const Values& want) {
  Values magnitude = want;
  for (auto& list : magnitude) {
    for (double& value : list) value = std::abs(value);
  }
  return magnitude;
}

/// Differences of exact inputs are exact up to u, and a loss adds squares: every error is relative to the
/// result.
inline Bound bound_of_squared_error(const Op& op, const Values& want) {
  return {magnitudes_of_outputs(want), usual_growth(op)};
}

/// error = (L(p) - L(t)) / sigma; each logarithm is rounded relative to itself, and they cancel.
inline Bound bound_of(const Chi2Log& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const double terms = static_cast<double>(op.rows * op.columns);
  double loss = 0;
  for (std::size_t i = 0; i < in[0].size(); ++i) {
    const double p = in[0][i], sigma = in[2][i % static_cast<std::size_t>(op.columns)];
    const double slope = 1 / (std::max(p, op.floor) * std::numbers::ln10);
    const double of_p = p >= op.floor ? std::abs(std::log10(p))
                                      : std::abs(std::log10(op.floor)) + (std::abs(p) + op.floor) * slope;
    const double size = (of_p + std::abs(std::log10(std::max(in[1][i], op.floor))) + 0.5) / sigma;
    loss += size * size / terms;
    bound.magnitude[4][i] = 2 * size * slope / (sigma * terms);
  }
  bound.magnitude[3][0] = loss;
  return bound;
}

/// z - max is rounded relative to itself, which exp turns into a relative error of u |z - max| of every
/// probability.
inline Bound bound_of(const SoftmaxCrossEntropy& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const auto columns = static_cast<std::size_t>(op.columns);
  double loss = 0;
  for (std::size_t n = 0; n < static_cast<std::size_t>(op.rows); ++n) {
    const double* z = in[0].data() + n * columns;
    const double largest = *std::max_element(z, z + columns);
    double sum = 0, drift = 0;  // drift: mean relative error of the sum, in u
    for (std::size_t k = 0; k < columns; ++k) sum += std::exp(z[k] - largest);
    for (std::size_t k = 0; k < columns; ++k) drift += std::exp(z[k] - largest) / sum * (1 + largest - z[k]);
    const auto label = static_cast<std::size_t>(in[1][n]);
    for (std::size_t k = 0; k < columns; ++k) {
      const double own = std::exp(z[k] - largest) / sum * (1 + largest - z[k] + drift);
      bound.magnitude[3][n * columns + k] = (own + (k == label ? 1 : 0)) / static_cast<double>(op.rows);
    }
    loss += std::log(sum) + std::abs(largest) + std::abs(z[label]) + drift;
  }
  bound.magnitude[2][0] = loss / static_cast<double>(op.rows);
  return bound;
}

inline Bound bound_of(const SgdStep& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  for (std::size_t k = 0; k < op.parts.size(); ++k) {
    const std::size_t p = SgdStep::kBuffers * k, g = p + 1, v = p + 2;
    for (std::size_t i = 0; i < in[p].size(); ++i) {
      const double given = op.parts[k].gradient_absent ? 0 : std::abs(in[g][i]);
      double step = given + op.weight_decay * std::abs(in[p][i]);
      if (op.momentum != 0) bound.magnitude[v][i] = step = step + op.momentum * std::abs(in[v][i]);
      bound.magnitude[p][i] = std::abs(in[p][i]) + in.back()[0] * step;
    }
  }
  return bound;
}

/// The images of an optimiser's parts have no bound: they must be the roundings of the p that the kernel
/// itself has written, which takes the place of `want`. `got`: all outputs.
inline void settle_images(const Op& op, const Values& got, Values& want) {
  const auto settle = [&](const Parts& parts, std::size_t buffers) {
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const std::size_t p = buffers * k, image = p + buffers - 1;
      if (!parts[k].image) continue;
      for (std::size_t i = 0; i < got[p].size(); ++i) want[image][i] = round_to_bf16(got[p][i]);
    }
  };
  if (const auto* adam = dynamic_cast<const AdamStep*>(&op)) settle(adam->parts, AdamStep::kBuffers);
  if (const auto* sgd = dynamic_cast<const SgdStep*>(&op)) settle(sgd->parts, SgdStep::kBuffers);
}

/// An error of v moves the update by half its relative size.
inline Bound bound_of(const AdamStep& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const AdamRule& rule = op.rule;
  const double lr = in.back()[0], step = lr / in.back()[1];
  const double shrink = rule.decoupled ? 1 + lr * rule.weight_decay : 1;
  for (std::size_t k = 0; k < op.parts.size(); ++k) {
    const std::size_t of_p = AdamStep::kBuffers * k, of_g = of_p + 1, of_m = of_p + 2, of_v = of_p + 3;
    for (std::size_t i = 0; i < in[of_p].size(); ++i) {
      const double given = op.parts[k].gradient_absent ? 0 : std::abs(in[of_g][i]);
      const double g = given + (rule.decoupled ? 0 : rule.weight_decay * std::abs(in[of_p][i]));
      const double m = rule.beta1 * std::abs(in[of_m][i]) + (1 - rule.beta1) * g;
      const double v = rule.beta2 * in[of_v][i] + (1 - rule.beta2) * g * g;
      const double denominator = std::sqrt(want[of_v][i] / in.back()[2]) + rule.epsilon;
      bound.magnitude[of_m][i] = m;
      bound.magnitude[of_v][i] = v;
      bound.magnitude[of_p][i] =
          shrink * std::abs(in[of_p][i]) + step * m / denominator * (1 + v / want[of_v][i]);
    }
  }
  return bound;
}

/// The flat index of every element of channel c.
template <class O, class Body>
void for_channel_elements(const O& op, std::size_t c, const Body& body) {
  const auto channels = static_cast<std::size_t>(op.channels), volume = static_cast<std::size_t>(op.volume);
  for (std::size_t n = 0; n < static_cast<std::size_t>(op.batch); ++n) {
    for (std::size_t s = 0; s < volume; ++s) body((n * channels + c) * volume + s);
  }
}

/// Statistics must be good to u whatever the number of values and however large the mean beside the spread
/// (umbra's rungs hold their sums in double), so there is no growth with K, and y is measured by the distance
/// from the mean. The mean itself must be subtracted with 20 bits more than a float has.
inline Bound bound_of(const BatchNormForward& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), 16};
  for (std::size_t c = 0; c < in[1].size(); ++c) {
    double mean = 0, size = 0;
    const double invstd = want[7][c];
    for_channel_elements(op, c, [&](std::size_t i) {
      mean += in[0][i] / static_cast<double>(op.batch * op.volume);
      size += std::abs(in[0][i]) / static_cast<double>(op.batch * op.volume);
    });
    for_channel_elements(op, c, [&](std::size_t i) {
      const double distance = std::abs(in[0][i] - mean) + 0x1p-20 * (std::abs(in[0][i]) + size);
      bound.magnitude[5][i] = std::abs(in[1][c]) * invstd * distance + std::abs(in[2][c]);
    });
    bound.magnitude[6][c] = std::abs(mean) + 0x1p-20 * size;
    bound.magnitude[3][c] = std::abs(in[3][c]) + op.momentum * bound.magnitude[6][c];
  }
  return bound;
}

inline Bound bound_of(const BatchNormInference& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  for (std::size_t c = 0; c < in[1].size(); ++c) {
    const double invstd = 1 / std::sqrt(in[4][c] + op.epsilon);
    for_channel_elements(op, c, [&](std::size_t i) {
      bound.magnitude[5][i] =
          std::abs(in[1][c]) * invstd * std::abs(in[0][i] - in[3][c]) + std::abs(in[2][c]);
    });
  }
  return bound;
}

inline Bound bound_of(const BatchNormBackward& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const double count = static_cast<double>(op.batch * op.volume);
  for (std::size_t c = 0; c < in[2].size(); ++c) {
    double sum = 0, sum_xhat = 0;
    const auto xhat = [&](std::size_t i) { return std::abs(in[1][i] - in[3][c]) * in[4][c]; };
    for_channel_elements(op, c, [&](std::size_t i) {
      sum += std::abs(in[0][i]);
      sum_xhat += std::abs(in[0][i]) * xhat(i);
    });
    for_channel_elements(op, c, [&](std::size_t i) {
      bound.magnitude[5][i] =
          std::abs(in[2][c]) * in[4][c] * (std::abs(in[0][i]) + sum / count + xhat(i) * sum_xhat / count);
    });
    bound.magnitude[6][c] = sum_xhat;
    bound.magnitude[7][c] = sum;
  }
  return bound;
}

/// relu moves no two numbers further apart, so the fused op has the bound of batch_norm plus the size of the
/// residual. `residual` is in[5], y is output 5 of batch_norm and 6 here.
inline void add_residual(const Values& in, std::vector<double>& magnitude) {
  for (std::size_t i = 0; i < in[5].size(); ++i) magnitude[i] += std::abs(in[5][i]);
}
inline Bound bound_of(const BatchNormReluForward& op, const Values& in, const Values& want) {
  const BatchNormForward norm(op.dtype, op.outer, op.channels, op.inner, op.epsilon, op.momentum);
  const Bound plain = bound_of(norm, {in[0], in[1], in[2], in[3], in[4]},
                               {{}, {}, {}, want[3], want[4], want[6], want[7], want[8]});
  Bound bound{magnitudes_of_outputs(want), plain.growth};
  for (std::size_t b : {3u, 4u}) bound.magnitude[b] = plain.magnitude[b];
  for (std::size_t b : {6u, 7u, 8u}) bound.magnitude[b] = plain.magnitude[b - 1];
  add_residual(in, bound.magnitude[6]);
  return bound;
}

inline Bound bound_of(const BatchNormReluInference& op, const Values& in, const Values& want) {
  const BatchNormInference norm(op.dtype, op.outer, op.channels, op.inner, op.epsilon);
  const Bound plain = bound_of(norm, {in[0], in[1], in[2], in[3], in[4]}, {{}, {}, {}, {}, {}, want[6]});
  Bound bound{magnitudes_of_outputs(want), plain.growth};
  bound.magnitude[6] = plain.magnitude[5];
  add_residual(in, bound.magnitude[6]);
  return bound;
}

/// The convolution's sums of absolute values and the mean, both scaled, since a rung may fold the mean into a
/// shift; then as above.
inline Bound bound_of(const ConvInference& op, const Values& in, const Values& want) {
  const ConvGeometry& g = op.geometry;
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  std::vector<double> x = in[0], w = in[1], sums(want[7].size());
  const auto size = [&](double& value) { value = std::abs(rounded_to(op.precision, value)); };
  std::for_each(x.begin(), x.end(), size);
  std::for_each(w.begin(), w.end(), size);
  conv_fprop_reference(g, x.data(), w.data(), sums.data());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t c = i / static_cast<std::size_t>(g.batch) % in[2].size();
    const double scale = std::abs(in[2][c]) / std::sqrt(in[5][c] + op.epsilon);
    bound.magnitude[7][i] = scale * (sums[i] + std::abs(in[4][c])) + std::abs(in[3][c]);
    if (op.residual) bound.magnitude[7][i] += std::abs(in[6][i]);
  }
  return bound;
}

/// The gate is an exact comparison of inputs: batch_norm's bound on what passes it.
inline Bound bound_of(const BatchNormReluBackward& op, const Values& in, const Values& want) {
  std::vector<double> passed = in[0];
  for (std::size_t i = 0; i < passed.size(); ++i) passed[i] = in[2][i] > 0 ? passed[i] : 0;
  const BatchNormBackward norm(op.dtype, op.outer, op.channels, op.inner);
  const Bound plain =
      bound_of(norm, {passed, in[1], in[3], in[4], in[5]}, {{}, {}, {}, {}, {}, want[6], want[7], want[8]});
  Bound bound{magnitudes_of_outputs(want), plain.growth};
  for (std::size_t b : {6u, 7u, 8u}) bound.magnitude[b] = plain.magnitude[b - 1];
  return bound;
}

/// The bound of an op that is not linear in its inputs; nothing for the others.
inline std::optional<Bound> special_bound(const Op& op, const Values& in, const Values& want) {
  if (const auto* o = dynamic_cast<const BatchNormForward*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const BatchNormInference*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const BatchNormBackward*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const BatchNormReluForward*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const BatchNormReluInference*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const BatchNormReluBackward*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const ConvInference*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const SoftmaxCrossEntropy*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const Chi2Log*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const SgdStep*>(&op)) return bound_of(*o, in, want);
  if (const auto* o = dynamic_cast<const AdamStep*>(&op)) return bound_of(*o, in, want);
  if (dynamic_cast<const MeanSquaredError*>(&op) != nullptr) return bound_of_squared_error(op, want);
  if (dynamic_cast<const Chi2Linear*>(&op) != nullptr) return bound_of_squared_error(op, want);
  return std::nullopt;
}

}  // namespace umbra::gauntlet
