// A stem in the form that kernels use: the geometry as plain numbers, passed by value, and the arithmetic
// of one channel that all rungs share (equations in op.h).
#pragma once

#include "cuda_grid.h"
#include "engine/ops/stem/op.h"

namespace umbra {

/// One axis of the convolution and of the pooling.
struct StemAxisView {
  int in, kernel, stride, padding, out, live_begin, live_end, live_taps;
  int pool, pool_stride, pool_padding, pooled;
  std::int8_t tap[kMaxStemKernel];  // of a live tap, by rank

  /// Input coordinate of tap 0 of output o; outside [0, in) is padding.
  constexpr int start(int o) const { return o * stride - padding; }
  constexpr int first_tap(int o) const { return start(o) < 0 ? -start(o) : 0; }
  constexpr int last_tap(int o) const { return in - start(o) < kernel ? in - start(o) : kernel; }
  constexpr bool lives(int o) const { return o >= live_begin && o < live_end; }
  /// Output under tap 0 of pooling window q, and the taps [begin, end) that lie inside.
  constexpr int window(int q) const { return q * pool_stride - pool_padding; }
  constexpr int window_begin(int q) const { return window(q) < 0 ? -window(q) : 0; }
  constexpr int window_end(int q) const { return out - window(q) < pool ? out - window(q) : pool; }
};

struct StemView {
  explicit StemView(const StemGeometry& g)
      : batch(static_cast<int>(g.batch)),
        in_channels(static_cast<int>(g.in_channels)),
        channels(static_cast<int>(g.channels)),
        patch(static_cast<int>(g.patch())),
        outputs(g.batch * g.conv_volume()),
        elements(g.pooled()),
        axis{view(g, 0), view(g, 1), view(g, 2)} {}
  static StemAxisView view(const StemGeometry& g, int a) {
    const auto i = static_cast<std::size_t>(a);
    const StemAxis line = g.axis(a);
    const auto number = [](std::int64_t n) { return static_cast<int>(n); };
    StemAxisView v{number(line.in),
                   number(line.kernel),
                   number(line.stride),
                   number(line.padding),
                   number(line.out),
                   number(line.live_begin),
                   number(line.live_end),
                   number(line.live_taps),
                   number(g.pool[i]),
                   number(g.pool_stride[i]),
                   number(g.pool_padding[i]),
                   number(g.pool_out(a)),
                   {}};
    for (std::int64_t t = 0; t < line.kernel; ++t) {
      const std::int64_t rank = line.rank[static_cast<std::size_t>(t)];
      if (rank >= 0) v.tap[rank] = static_cast<std::int8_t>(t);
    }
    return v;
  }

  int batch, in_channels, channels, patch;
  std::int64_t outputs;   // of the convolution, per channel
  std::int64_t elements;  // of y
  StemAxisView axis[3];
};

/// Why a stem is too large for kernels that use 32-bit indices; empty when it is not.
inline std::string stem_too_large(const StemGeometry& g) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30, kMostPatch = 1 << 15;
  const auto large = [](std::int64_t n) { return n > kMost; };
  const bool any = large(g.batch) || large(g.in_channels * g.in_volume()) || large(g.patch() * g.channels) ||
                   large(g.conv_volume()) || large(g.pool_volume()) || g.patch() > kMostPatch;
  return any ? "a sample or the weights are too large for 32-bit indices" : "";
}

/// w_c . v, for v [K]
__device__ inline double stem_dot(int patch, int channels, const float* w, int c, const double* v) {
  double sum = 0;
  for (int k = 0; k < patch; ++k) sum += static_cast<double>(w[k * channels + c]) * v[k];
  return sum;
}

/// (S w_c)_k; S is symmetric, and its column is read where threads differ in k.
__device__ inline double stem_cov_dot(int patch, int channels, const float* w, int c, const double* cov,
                                      int k) {
  double sum = 0;
  for (int l = 0; l < patch; ++l) sum += static_cast<double>(w[l * channels + c]) * cov[l * patch + k];
  return sum;
}

/// Computes the op's statistics from those of a step; `count` values per channel.
struct StemMoments {
  double epsilon, momentum, count;
  float *running_mean, *running_var, *mean, *invstd;  // [C] each

  /// invstd, unrounded.
  __device__ double inverse_of(double variance) const { return 1 / sqrt(variance + epsilon); }
  /// Channel c; returns invstd unrounded.
  __device__ double set(int c, double m, double variance) const {
    const double var = variance < 0 ? 0 : variance;  // negative by rounding; a NaN stays a NaN
    const double inverse = inverse_of(var), keep = 1 - momentum;
    mean[c] = static_cast<float>(m);
    invstd[c] = static_cast<float>(inverse);
    running_mean[c] = static_cast<float>(keep * static_cast<double>(running_mean[c]) + momentum * m);
    running_var[c] = static_cast<float>(keep * static_cast<double>(running_var[c]) +
                                        momentum * var * (count / (count - 1)));
    return inverse;
  }
};

/// The gradients of channel c from its sums: of dz over the winners and of dz times the patch, and derived
/// numbers.
struct StemChannelGradients {
  __device__ StemChannelGradients(double gamma, double mean, double invstd, double sum_,
                                  double filter_dot_sums, double filter_dot_means)
      : sum(sum_),
        inverse(invstd),
        scale(gamma * invstd),
        sum_xhat(invstd * (filter_dot_sums - mean * sum_)),
        drift(filter_dot_means - mean) {}
  /// dw[k, c] from sum dz P_k, mu_k and (S w_c)_k.
  __device__ double weight(double patch_sum, double patch_mean, double cov_dot) const {
    return scale * (patch_sum - sum * patch_mean - sum_xhat * inverse * (cov_dot + drift * patch_mean));
  }
  double sum, inverse, scale;
  double sum_xhat;  // dgamma
  double drift;     // w . mu - mean: the rounding of mean
};

}  // namespace umbra
