// The stem by the algebra of op.h, in plain loops: statistics from the mean and the covariance of the
// patches, pooling before the affine map, the weights' gradient from the winners' patches alone. This is
// the algorithm of the fast rungs in readable form; in double it equals the composition up to rounding.
#pragma once

#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/stem/reference_parts.h"

namespace umbra {

/// w_c . mu
template <class T>
Accumulator<T> stem_channel_mean(const StemGeometry& g, const T* w, std::int64_t c,
                                 const Accumulator<T>* mu) {
  Accumulator<T> sum(0);
  for (std::int64_t k = 0; k < g.patch(); ++k) sum += Accumulator<T>(w[k * g.channels + c]) * mu[k];
  return sum;
}
/// (S w_c)_k
template <class T>
Accumulator<T> stem_cov_times_filter(const StemGeometry& g, const T* w, std::int64_t c,
                                     const Accumulator<T>* cov, std::int64_t k) {
  Accumulator<T> sum(0);
  for (std::int64_t l = 0; l < g.patch(); ++l)
    sum += cov[k * g.patch() + l] * Accumulator<T>(w[l * g.channels + c]);
  return sum;
}

/// y and winner from z [N][C][O]: the maximum of z times the sign of gamma, then affine map and ReLU once.
template <class T>
void stem_pool_raw(const StemGeometry& g, const T* z, std::int64_t c, Accumulator<T> mean,
                   Accumulator<T> inverse, T gamma, T beta, T* y, std::uint8_t* winner) {
  using W = Accumulator<T>;
  const T sign = gamma > T(0) ? T(1) : gamma < T(0) ? T(-1) : T(0);
  for (std::int64_t n = 0; n < g.batch; ++n) {
    const T* from = z + (n * g.channels + c) * g.conv_volume();
    std::int64_t last = -1, best = 0;
    for_each_pool_pair(g, [&](std::int64_t q, std::int64_t tap, std::int64_t o) {
      const std::int64_t e = (q * g.channels + c) * g.batch + n;
      if (q != last || sign * from[o] > sign * from[best] || from[o] != from[o]) {
        best = o;
        const T a = T(W(gamma) * (W(from[o]) - mean) * inverse + W(beta));
        y[e] = a <= T(0) ? T(0) : a;
        if (winner != nullptr) winner[e] = y[e] > T(0) ? static_cast<std::uint8_t>(tap) : kNoWinner;
      }
      last = q;
    });
  }
}

template <class T>
void stem3d_forward_gram(const Stem3dForward& op, Buffers buffers, void* workspace, Stream&) {
  using std::sqrt;
  using W = Accumulator<T>;
  const StemGeometry& g = op.geometry;
  const T* x = buffers.in<T>(0);        // [N][Cin][D][H][W]
  const T* w = buffers.in<T>(1);        // [live tap][Cin][C]
  const T* gamma = buffers.in<T>(2);    // [C]
  const T* beta = buffers.in<T>(3);     // [C]
  T* running_mean = buffers.out<T>(4);  // [C]
  T* running_var = buffers.out<T>(5);   // [C]
  T* y = buffers.out<T>(6);             // [q][C][N]
  auto* winner = buffers.out<std::uint8_t>(7);
  T* mean = buffers.out<T>(8);        // [C]
  T* invstd = buffers.out<T>(9);      // [C]
  W* mu = buffers.out<W>(10);         // [K]
  W* cov = buffers.out<W>(11);        // [K][K]
  T* z = static_cast<T*>(workspace);  // [N][C][O]
  stem_patch_statistics(g, x, mu, cov);
  stem_convolution(g, x, w, z);
  for (std::int64_t b = 0; b < g.winner_words() * 4; ++b) winner[b] = 0;
  const double count = static_cast<double>(g.batch * g.conv_volume());
  for (std::int64_t c = 0; c < g.channels; ++c) {
    const W m = stem_channel_mean(g, w, c, mu);
    W var(0);
    for (std::int64_t k = 0; k < g.patch(); ++k)
      var += W(w[k * g.channels + c]) * stem_cov_times_filter(g, w, c, cov, k);
    const W inverse = W(1) / sqrt(var + W(op.epsilon));
    stem_pool_raw(g, z, c, m, inverse, gamma[c], beta[c], y, winner);
    mean[c] = T(m);
    invstd[c] = T(inverse);
    const W keep(1 - op.momentum), take(op.momentum);
    running_mean[c] = T(keep * W(running_mean[c]) + take * m);
    running_var[c] = T(keep * W(running_var[c]) + take * var * W(count / (count - 1)));
  }
}

template <class T>
void stem3d_backward_gram(const Stem3dBackward& op, Buffers buffers, void* workspace, Stream&) {
  using W = Accumulator<T>;
  const StemGeometry& g = op.geometry;
  const T* dy = buffers.in<T>(0);                    // [q][C][N]
  const T* x = buffers.in<T>(1);                     // [N][Cin][D][H][W]
  const T* w = buffers.in<T>(2);                     // [live tap][Cin][C]
  const T* gamma = buffers.in<T>(3);                 // [C]
  const T* mean = buffers.in<T>(4);                  // [C]
  const T* invstd = buffers.in<T>(5);                // [C]
  const auto* winner = buffers.in<std::uint8_t>(6);  // [q][C][N]
  const W* mu = buffers.in<W>(7);                    // [K]
  const W* cov = buffers.in<W>(8);                   // [K][K]
  T* dw = buffers.out<T>(9);                         // [live tap][Cin][C]
  T* dgamma = buffers.out<T>(10);                    // [C]
  T* dbeta = buffers.out<T>(11);                     // [C]
  T* dz = static_cast<T*>(workspace);                // [O], of one sample and channel
  W* sums = reinterpret_cast<W*>(dz + g.conv_volume() + g.conv_volume() % 2);  // [K], sum of dz P
  for (std::int64_t c = 0; c < g.channels; ++c) {
    W sum(0);
    for (std::int64_t k = 0; k < g.patch(); ++k) sums[k] = W(0);
    for (std::int64_t n = 0; n < g.batch; ++n) {
      for (std::int64_t o = 0; o < g.conv_volume(); ++o) dz[o] = T(0);
      for_each_pool_pair(g, [&](std::int64_t q, std::int64_t tap, std::int64_t o) {
        const std::int64_t e = (q * g.channels + c) * g.batch + n;
        if (winner[e] != tap) return;
        dz[o] += dy[e];
        sum += W(dy[e]);
      });
      for (std::int64_t ci = 0; ci < g.in_channels; ++ci) {
        const T* from = x + (n * g.in_channels + ci) * g.in_volume();
        for_each_stem_pair(g, [&](std::int64_t o, std::int64_t slot, std::int64_t i) {
          sums[slot * g.in_channels + ci] += W(dz[o]) * W(from[i]);
        });
      }
    }
    W of_z(0);
    for (std::int64_t k = 0; k < g.patch(); ++k) of_z += W(w[k * g.channels + c]) * sums[k];
    const W m(mean[c]), inverse(invstd[c]), sum_xhat = inverse * (of_z - m * sum);
    const W drift = stem_channel_mean(g, w, c, mu) - m;  // rounding of mean, or a different mean
    for (std::int64_t k = 0; k < g.patch(); ++k) {
      const W xhat_patch = inverse * (stem_cov_times_filter(g, w, c, cov, k) + drift * mu[k]);
      dw[k * g.channels + c] = T(W(gamma[c]) * inverse * (sums[k] - sum * mu[k] - sum_xhat * xhat_patch));
    }
    dgamma[c] = T(sum_xhat);
    dbeta[c] = T(sum);
  }
}

inline std::size_t stem3d_backward_gram_workspace(const Stem3dBackward& op) {
  const StemGeometry& g = op.geometry;
  return static_cast<std::size_t>(g.conv_volume() + 1) * size_of(op.dtype) +
         static_cast<std::size_t>(g.patch()) * sizeof(double);
}

}  // namespace umbra
