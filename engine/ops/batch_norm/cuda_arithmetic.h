// The arithmetic of the CUDA kernels of batch normalisation, with or without a residual and a ReLU, on one
// number and on one channel of [outer, C, inner].
//
// Statistics are held in double: the mean of a channel may be small compared with its numbers and large
// compared with their spread, and must be accurate in both cases. The arithmetic per number is float: the
// mean is subtracted as a float, and its rounding error is part of the shift.
#pragma once

#include <cmath>

#include "engine/ops/batch_norm/cuda_arguments.h"

namespace umbra {

inline constexpr unsigned kBatchNormThreads = 256;

/// y = (x - mean) scale + shift
struct ChannelMap {
  float mean, scale, shift;
};

/// The map of channel c from its statistics over `count` values; `writes` says whether this thread also
/// stores them.
__device__ inline ChannelMap finish_statistics(const BatchNormForwardArguments& a, std::int64_t c,
                                               double mean, double var, double count, bool writes) {
  const float high = static_cast<float>(mean), low = static_cast<float>(mean - high);
  const float invstd = 1 / std::sqrt(static_cast<float>(var + a.epsilon));
  if (writes) {
    a.mean[c] = high;
    a.invstd[c] = invstd;
    const double keep = 1 - a.momentum, unbiased = var * (count / (count - 1));
    a.running_mean[c] = static_cast<float>(keep * a.running_mean[c] + a.momentum * mean);
    a.running_var[c] = static_cast<float>(keep * a.running_var[c] + a.momentum * unbiased);
  }
  const float scale = a.gamma[c] * invstd;
  return {high, scale, std::fma(-low, scale, a.beta[c])};
}

__device__ inline ChannelMap running_map(const BatchNormInferenceArguments& a, std::int64_t c) {
  const float scale = a.gamma[c] / std::sqrt(a.running_var[c] + static_cast<float>(a.epsilon));
  return {a.running_mean[c], scale, a.beta[c]};
}

/// One number of the result; a NaN stays a NaN.
__device__ inline float normalised(const ChannelMap& map, float x, float residual, bool relu) {
  const float y = std::fma(x - map.mean, map.scale, map.shift) + residual;
  return relu && y <= 0 ? 0 : y;
}

/// dx = g scale + (x - mean) slope + offset, g the gradient after the ReLU's gate.
struct ChannelGradient {
  float mean, scale, slope, offset;
  __device__ float operator()(float g, float x) const {
    return std::fma(g, scale, std::fma(x - mean, slope, offset));
  }
};

/// The gradient's map from sum g and sum g (x - mean); `writes` says whether this thread also stores dgamma
/// and dbeta.
__device__ inline ChannelGradient finish_gradient(const BatchNormBackwardArguments& a, std::int64_t c,
                                                  double sum, double sum_centred, double count, bool writes) {
  const double invstd = a.invstd[c], sum_xhat = sum_centred * invstd, scale = a.gamma[c] * invstd;
  if (writes) {
    a.dgamma[c] = static_cast<float>(sum_xhat);
    a.dbeta[c] = static_cast<float>(sum);
  }
  const double share = -scale / count;
  return {a.mean[c], static_cast<float>(scale), static_cast<float>(share * invstd * sum_xhat),
          static_cast<float>(share * sum)};
}

// ---- units: the numbers that the kernels load, hold and store together ----

template <int kWidth>
struct ForwardUnit {
  Unit<kWidth> x, residual;
};

template <int kWidth>
__device__ Unit<kWidth> load_residual(const float* residual, std::int64_t at, bool aligned) {
  if (residual != nullptr) return load_unit<kWidth>(residual + at, aligned);
  return {};
}

/// a: arguments of the forward pass or of inference.
template <int kWidth, class Arguments>
__device__ ForwardUnit<kWidth> load_forward(const Arguments& a, std::int64_t at, bool aligned) {
  return {load_unit<kWidth>(a.x + at, aligned), load_residual<kWidth>(a.residual, at, aligned)};
}

template <int kWidth, class Arguments>
__device__ void store_forward(const Arguments& a, const ChannelMap& map, std::int64_t at,
                              const ForwardUnit<kWidth>& in, bool aligned) {
  Unit<kWidth> y{};
  for (int k = 0; k < kWidth; ++k) y.v[k] = normalised(map, in.x.v[k], in.residual.v[k], a.relu);
  store_unit(a.y + at, y, aligned);
}

/// The gradient after the ReLU's gate, and the input.
template <int kWidth>
struct BackwardUnit {
  Unit<kWidth> g, x;
};

template <int kWidth>
__device__ BackwardUnit<kWidth> load_backward(const BatchNormBackwardArguments& a, std::int64_t at,
                                              bool aligned) {
  BackwardUnit<kWidth> in{load_unit<kWidth>(a.dy + at, aligned), load_unit<kWidth>(a.x + at, aligned)};
  if (a.y != nullptr) {
    const Unit<kWidth> y = load_unit<kWidth>(a.y + at, aligned);
    for (int k = 0; k < kWidth; ++k) in.g.v[k] = y.v[k] > 0 ? in.g.v[k] : 0;
  }
  return in;
}

/// Adds a unit's terms of sum g and sum g (x - mean): in float within the unit, in double beyond.
template <int kWidth>
__device__ void add_backward(const BackwardUnit<kWidth>& in, float mean, double& sum, double& sum_centred) {
  float plain = in.g.v[0], centred = in.g.v[0] * (in.x.v[0] - mean);
  for (int k = 1; k < kWidth; ++k) {
    plain += in.g.v[k];
    centred = std::fma(in.g.v[k], in.x.v[k] - mean, centred);
  }
  sum += plain;
  sum_centred += centred;
}

template <int kWidth>
__device__ void store_backward(const BatchNormBackwardArguments& a, const ChannelGradient& gradient,
                               std::int64_t at, const BackwardUnit<kWidth>& in, bool aligned) {
  Unit<kWidth> dx{};
  for (int k = 0; k < kWidth; ++k) dx.v[k] = gradient(in.g.v[k], in.x.v[k]);
  store_unit(a.dx + at, dx, aligned);
}

}  // namespace umbra
