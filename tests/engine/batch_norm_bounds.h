// How far the ops of batch normalisation may be from their double-precision reference
// (tests/gauntlet/bound.h).
#pragma once

#include <cmath>
#include <vector>

#include "engine/ops/batch_norm/op.h"
#include "tests/gauntlet/bound.h"

namespace umbra::gauntlet {

/// The flat index of every element of channel c.
template <class Body>
void for_channel_elements(const BatchNormOp& op, std::size_t c, const Body& body) {
  const auto channels = static_cast<std::size_t>(op.channels), inner = static_cast<std::size_t>(op.inner);
  for (std::size_t n = 0; n < static_cast<std::size_t>(op.outer); ++n) {
    for (std::size_t i = 0; i < inner; ++i) body((n * channels + c) * inner + i);
  }
}

/// relu never increases the distance of two numbers, so the steps after the normalisation add at most the
/// size of the residual to the bound of y.
inline void add_residual(const std::vector<double>& residual, std::vector<double>& magnitude) {
  for (std::size_t i = 0; i < residual.size(); ++i) magnitude[i] += std::abs(residual[i]);
}

/// Statistics must be accurate to u for any number of values and any mean compared with the spread (umbra's
/// rungs hold their sums in double), so there is no growth with K, and y is measured by the distance from the
/// mean. The mean must be subtracted with 20 bits more than a float has.
inline Bound bound_of(const BatchNormForward& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), 16};
  const double count = static_cast<double>(op.count_per_channel());
  for (std::size_t c = 0; c < in[1].size(); ++c) {
    double mean = 0, size = 0;
    const double invstd = want[8][c];
    for_channel_elements(op, c, [&](std::size_t i) {
      mean += in[0][i] / count;
      size += std::abs(in[0][i]) / count;
    });
    for_channel_elements(op, c, [&](std::size_t i) {
      const double distance = std::abs(in[0][i] - mean) + 0x1p-20 * (std::abs(in[0][i]) + size);
      bound.magnitude[6][i] = std::abs(in[1][c]) * invstd * distance + std::abs(in[2][c]);
    });
    bound.magnitude[7][c] = std::abs(mean) + 0x1p-20 * size;
    bound.magnitude[3][c] = std::abs(in[3][c]) + op.momentum * bound.magnitude[7][c];
  }
  add_residual(in[5], bound.magnitude[6]);
  return bound;
}

inline Bound bound_of(const BatchNormInference& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  for (std::size_t c = 0; c < in[1].size(); ++c) {
    const double invstd = 1 / std::sqrt(in[4][c] + op.epsilon);
    for_channel_elements(op, c, [&](std::size_t i) {
      bound.magnitude[6][i] =
          std::abs(in[1][c]) * invstd * std::abs(in[0][i] - in[3][c]) + std::abs(in[2][c]);
    });
  }
  add_residual(in[5], bound.magnitude[6]);
  return bound;
}

/// The gate of the ReLU is an exact comparison of inputs: the bound is that of the values that pass.
inline Bound bound_of(const BatchNormBackward& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const double count = static_cast<double>(op.count_per_channel());
  const auto passed = [&](std::size_t i) {
    return !op.options.relu || in[2][i] > 0 ? std::abs(in[0][i]) : 0;
  };
  for (std::size_t c = 0; c < in[3].size(); ++c) {
    double sum = 0, sum_xhat = 0;
    const auto xhat = [&](std::size_t i) { return std::abs(in[1][i] - in[4][c]) * in[5][c]; };
    for_channel_elements(op, c, [&](std::size_t i) {
      sum += passed(i);
      sum_xhat += passed(i) * xhat(i);
    });
    for_channel_elements(op, c, [&](std::size_t i) {
      bound.magnitude[6][i] =
          std::abs(in[3][c]) * in[5][c] * (passed(i) + sum / count + xhat(i) * sum_xhat / count);
    });
    bound.magnitude[7][c] = sum_xhat;
    bound.magnitude[8][c] = sum;
  }
  return bound;
}

/// As above, where dx is a constant factor times the values that pass.
inline Bound bound_of(const BatchNormFrozenBackward& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  for (std::size_t c = 0; c < in[3].size(); ++c) {
    const double invstd = 1 / std::sqrt(in[5][c] + op.epsilon);
    double sum = 0, sum_xhat = 0;
    for_channel_elements(op, c, [&](std::size_t i) {
      const double passed = !op.options.relu || in[2][i] > 0 ? std::abs(in[0][i]) : 0;
      sum += passed;
      sum_xhat += passed * std::abs(in[1][i] - in[4][c]) * invstd;
    });
    bound.magnitude[7][c] = sum_xhat;
    bound.magnitude[8][c] = sum;
  }
  return bound;
}

}  // namespace umbra::gauntlet
