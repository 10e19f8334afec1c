// The definition of the stem as the composition of convolution, batch norm, ReLU and max-pooling, in plain
// loops on any scalar, with the output of the convolution in the workspace. Sums are held in double for
// float.
#pragma once

#include <cmath>
#include <cstddef>

#include "engine/ops/kernel.h"
#include "engine/ops/stem3d/op.h"
#include "engine/ops/wide.h"

namespace umbra {

inline std::string stem_needs_two_values(const Stem3dForward& op) {
  return op.geometry.batch * op.geometry.conv_volume() >= 2
             ? ""
             : "needs at least two values per channel to train";
}

/// Calls body(o, slot, i) for every output o of the convolution and tap with data: slot is the tap's place
/// among the live ones, i the input position.
template <class Body>
void for_each_stem_pair(const StemGeometry& g, const Body& body) {
  const StemAxis d = g.axis(0), h = g.axis(1), w = g.axis(2);
  const auto rank = [](const StemAxis& a, std::int64_t t) { return a.rank[static_cast<std::size_t>(t)]; };
  std::int64_t o = 0;
  for (std::int64_t od = 0; od < d.out; ++od) {
    for (std::int64_t oh = 0; oh < h.out; ++oh) {
      for (std::int64_t ow = 0; ow < w.out; ++ow, ++o) {
        for (std::int64_t td = d.first_tap(od); td < d.last_tap(od); ++td) {
          for (std::int64_t th = h.first_tap(oh); th < h.last_tap(oh); ++th) {
            const std::int64_t slots = (rank(d, td) * h.live_taps + rank(h, th)) * w.live_taps;
            const std::int64_t line = ((d.start(od) + td) * h.in + h.start(oh) + th) * w.in + w.start(ow);
            for (std::int64_t tw = w.first_tap(ow); tw < w.last_tap(ow); ++tw)
              body(o, slots + rank(w, tw), line + tw);
          }
        }
      }
    }
  }
}

/// Calls body(q, tap, o) for every pooled position q and tap of its window inside the convolution's output.
template <class Body>
void for_each_pool_pair(const StemGeometry& g, const Body& body) {
  std::int64_t q = 0;
  for (std::int64_t qd = 0; qd < g.pool_out(0); ++qd) {
    for (std::int64_t qh = 0; qh < g.pool_out(1); ++qh) {
      for (std::int64_t qw = 0; qw < g.pool_out(2); ++qw, ++q) {
        const StemWindow d = g.window(0, qd), h = g.window(1, qh), w = g.window(2, qw);
        for (std::int64_t td = d.begin; td < d.end; ++td) {
          for (std::int64_t th = h.begin; th < h.end; ++th) {
            const std::int64_t line =
                ((d.start + td) * g.conv_out(1) + h.start + th) * g.conv_out(2) + w.start;
            for (std::int64_t tw = w.begin; tw < w.end; ++tw)
              body(q, (td * g.pool[1] + th) * g.pool[2] + tw, line + tw);
          }
        }
      }
    }
  }
}

/// z [N][C][O], the convolution.
template <class T>
void stem_convolution(const StemGeometry& g, const T* x, const T* w, T* z) {
  const std::int64_t outputs = g.conv_volume();
  for (std::int64_t e = 0; e < g.batch * g.channels * outputs; ++e) z[e] = T(0);
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t c = 0; c < g.channels; ++c) {
      for (std::int64_t ci = 0; ci < g.in_channels; ++ci) {
        const T* from = x + (n * g.in_channels + ci) * g.in_volume();
        T* to = z + (n * g.channels + c) * outputs;
        for_each_stem_pair(g, [&](std::int64_t o, std::int64_t slot, std::int64_t i) {
          to[o] += w[(slot * g.in_channels + ci) * g.channels + c] * from[i];
        });
      }
    }
  }
}

/// y [q][C][N] and the winners (null: not wanted), the maxima of z [N][C][O], which is not negative: the
/// first of equals wins, but a later NaN takes the place of anything, as in ops/max_pool.
template <class T>
void stem_pool(const StemGeometry& g, const T* z, T* y, std::uint8_t* winner) {
  const std::int64_t rows = g.channels * g.batch;
  if (winner != nullptr) {
    for (std::int64_t b = 0; b < g.winner_words() * 4; ++b) winner[b] = 0;
  }
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t c = 0; c < g.channels; ++c) {
      const T* from = z + (n * g.channels + c) * g.conv_volume();
      std::int64_t last = -1;
      for_each_pool_pair(g, [&](std::int64_t q, std::int64_t tap, std::int64_t o) {
        const std::int64_t e = q * rows + c * g.batch + n;
        if (q != last || from[o] > y[e] || from[o] != from[o]) {
          y[e] = from[o];
          if (winner != nullptr) winner[e] = y[e] > T(0) ? static_cast<std::uint8_t>(tap) : kNoWinner;
        }
        last = q;
      });
    }
  }
}

/// Sum of term(n, od, oh, ow) over all outputs of the convolution: of rows, of planes, of samples, so that
/// equal terms (the zeros of padding minus their mean) do not pile up one rounding.
template <class W, class Term>
W stem_sum(const StemGeometry& g, const Term& term) {
  const std::int64_t depth = g.conv_out(0), height = g.conv_out(1), width = g.conv_out(2);
  W total(0);
  for (std::int64_t n = 0; n < g.batch; ++n) {
    W box(0);
    for (std::int64_t od = 0; od < depth; ++od) {
      W plane(0);
      for (std::int64_t oh = 0; oh < height; ++oh) {
        W row(0);
        for (std::int64_t ow = 0; ow < width; ++ow) row += term(n, od, oh, ow);
        plane += row;
      }
      box += plane;
    }
    total += box;
  }
  return total;
}

/// Number k of a patch: the input that one tap sees, or 0 in the padding.
template <class T>
class StemPatch {
 public:
  StemPatch(const StemGeometry& g, const T* x, std::int64_t k)
      : d_(g.axis(0)), h_(g.axis(1)), w_(g.axis(2)), stride_(g.in_channels * g.in_volume()) {
    const std::int64_t slot = k / g.in_channels;
    td_ = live_tap(d_, slot / (h_.live_taps * w_.live_taps));
    th_ = live_tap(h_, slot / w_.live_taps % h_.live_taps);
    tw_ = live_tap(w_, slot % w_.live_taps);
    x_ = x + k % g.in_channels * g.in_volume();
  }
  Wide<T> operator()(std::int64_t n, std::int64_t od, std::int64_t oh, std::int64_t ow) const {
    const std::int64_t i = d_.start(od) + td_, j = h_.start(oh) + th_, k = w_.start(ow) + tw_;
    const bool data = i >= 0 && i < d_.in && j >= 0 && j < h_.in && k >= 0 && k < w_.in;
    return data ? Wide<T>(x_[n * stride_ + (i * h_.in + j) * w_.in + k]) : Wide<T>(0);
  }

 private:
  static std::int64_t live_tap(const StemAxis& axis, std::int64_t rank) {
    std::int64_t t = 0;
    while (axis.rank[static_cast<std::size_t>(t)] != rank) ++t;
    return t;
  }
  StemAxis d_, h_, w_;
  std::int64_t stride_, td_, th_, tw_;
  const T* x_;
};

/// mu [K] and S [K][K] of the inputs under the filter, in two passes.
template <class T>
void stem_patch_statistics(const StemGeometry& g, const T* x, Wide<T>* mu, Wide<T>* cov) {
  using W = Wide<T>;
  const std::int64_t patch = g.patch();
  const W count(static_cast<double>(g.batch * g.conv_volume()));
  for (std::int64_t k = 0; k < patch; ++k) mu[k] = stem_sum<W>(g, StemPatch<T>(g, x, k)) / count;
  for (std::int64_t k = 0; k < patch; ++k) {
    const StemPatch<T> first(g, x, k);
    for (std::int64_t l = k; l < patch; ++l) {
      const StemPatch<T> second(g, x, l);
      cov[k * patch + l] = cov[l * patch + k] =
          stem_sum<W>(g,
                      [&](auto n, auto od, auto oh, auto ow) {
                        return (first(n, od, oh, ow) - mu[k]) * (second(n, od, oh, ow) - mu[l]);
                      }) /
          count;
    }
  }
}

/// a = relu(scale (z - mean) inverse + beta), in place; a NaN passes.
template <class T>
void stem_normalize(const StemGeometry& g, std::int64_t c, Wide<T> mean, Wide<T> inverse, T gamma, T beta,
                    T* z) {
  using W = Wide<T>;
  for (std::int64_t n = 0; n < g.batch; ++n) {
    T* row = z + (n * g.channels + c) * g.conv_volume();
    for (std::int64_t o = 0; o < g.conv_volume(); ++o) {
      const T a = T(W(gamma) * (W(row[o]) - mean) * inverse + W(beta));
      row[o] = a <= T(0) ? T(0) : a;
    }
  }
}

template <class T>
void stem3d_forward_reference(const Stem3dForward& op, Buffers buffers, void* workspace, Stream&) {
  using std::sqrt;
  using W = Wide<T>;
  const StemGeometry& g = op.geometry;
  const T* x = static_cast<const T*>(buffers[0]);      // [N][Cin][D][H][W]
  const T* w = static_cast<const T*>(buffers[1]);      // [live tap][Cin][C]
  const T* gamma = static_cast<const T*>(buffers[2]);  // [C]
  const T* beta = static_cast<const T*>(buffers[3]);   // [C]
  T* running_mean = static_cast<T*>(buffers[4]);       // [C]
  T* running_var = static_cast<T*>(buffers[5]);        // [C]
  T* y = static_cast<T*>(buffers[6]);                  // [q][C][N]
  auto* winner = static_cast<std::uint8_t*>(buffers[7]);
  T* mean = static_cast<T*>(buffers[8]);    // [C]
  T* invstd = static_cast<T*>(buffers[9]);  // [C]
  T* z = static_cast<T*>(workspace);        // [N][C][O]
  stem_convolution(g, x, w, z);
  const double count = static_cast<double>(g.batch * g.conv_volume());
  for (std::int64_t c = 0; c < g.channels; ++c) {
    const auto z_at = [&](std::int64_t n, std::int64_t od, std::int64_t oh, std::int64_t ow) {
      const std::int64_t row = (n * g.channels + c) * g.conv_out(0) + od;
      return W(z[(row * g.conv_out(1) + oh) * g.conv_out(2) + ow]);
    };
    const W m = stem_sum<W>(g, z_at) / W(count);
    const W var =
        stem_sum<W>(g, [&](auto... at) { return (z_at(at...) - m) * (z_at(at...) - m); }) / W(count);
    const W inverse = W(1) / sqrt(var + W(op.epsilon));
    stem_normalize(g, c, m, inverse, gamma[c], beta[c], z);
    mean[c] = T(m);
    invstd[c] = T(inverse);
    const W keep(1 - op.momentum), take(op.momentum);
    running_mean[c] = T(keep * W(running_mean[c]) + take * m);
    running_var[c] = T(keep * W(running_var[c]) + take * var * W(count / (count - 1)));
  }
  stem_pool(g, z, y, winner);
  stem_patch_statistics(g, x, static_cast<W*>(buffers[10]), static_cast<W*>(buffers[11]));
}

template <class T>
void stem3d_inference_reference(const Stem3dInference& op, Buffers buffers, void* workspace, Stream&) {
  using std::sqrt;
  using W = Wide<T>;
  const StemGeometry& g = op.geometry;
  const T* gamma = static_cast<const T*>(buffers[2]);         // [C]
  const T* beta = static_cast<const T*>(buffers[3]);          // [C]
  const T* running_mean = static_cast<const T*>(buffers[4]);  // [C]
  const T* running_var = static_cast<const T*>(buffers[5]);   // [C]
  T* z = static_cast<T*>(workspace);                          // [N][C][O]
  stem_convolution(g, static_cast<const T*>(buffers[0]), static_cast<const T*>(buffers[1]), z);
  for (std::int64_t c = 0; c < g.channels; ++c) {
    const W inverse = W(1) / sqrt(W(running_var[c]) + W(op.epsilon));
    stem_normalize(g, c, W(running_mean[c]), inverse, gamma[c], beta[c], z);
  }
  stem_pool<T>(g, z, static_cast<T*>(buffers[6]), nullptr);
}

template <class T>
void stem3d_backward_reference(const Stem3dBackward& op, Buffers buffers, void* workspace, Stream&) {
  using W = Wide<T>;
  const StemGeometry& g = op.geometry;
  const T* dy = static_cast<const T*>(buffers[0]);                    // [q][C][N]
  const T* x = static_cast<const T*>(buffers[1]);                     // [N][Cin][D][H][W]
  const T* w = static_cast<const T*>(buffers[2]);                     // [live tap][Cin][C]
  const T* gamma = static_cast<const T*>(buffers[3]);                 // [C]
  const T* mean = static_cast<const T*>(buffers[4]);                  // [C]
  const T* invstd = static_cast<const T*>(buffers[5]);                // [C]
  const auto* winner = static_cast<const std::uint8_t*>(buffers[6]);  // [q][C][N]
  T* dw = static_cast<T*>(buffers[9]);                                // [live tap][Cin][C]
  T* dgamma = static_cast<T*>(buffers[10]);                           // [C]
  T* dbeta = static_cast<T*>(buffers[11]);                            // [C]
  const std::int64_t outputs = g.conv_volume(), rows = g.channels * g.batch;
  T* z = static_cast<T*>(workspace);           // [N][C][O]
  T* dz = z + g.batch * g.channels * outputs;  // [N][C][O]
  stem_convolution(g, x, w, z);
  for (std::int64_t e = 0; e < g.batch * g.channels * outputs; ++e) dz[e] = T(0);
  for_each_pool_pair(g, [&](std::int64_t q, std::int64_t tap, std::int64_t o) {
    for (std::int64_t c = 0; c < g.channels; ++c) {
      for (std::int64_t n = 0; n < g.batch; ++n) {
        const std::int64_t e = q * rows + c * g.batch + n;
        if (winner[e] == tap) dz[(n * g.channels + c) * outputs + o] += dy[e];
      }
    }
  });
  const W count(static_cast<double>(g.batch * outputs));
  for (std::int64_t c = 0; c < g.channels; ++c) {
    W sum(0), sum_xhat(0);
    const auto xhat = [&](std::int64_t e) { return (W(z[e]) - W(mean[c])) * W(invstd[c]); };
    const auto for_channel = [&](const auto& body) {
      for (std::int64_t n = 0; n < g.batch; ++n) {
        for (std::int64_t o = 0; o < outputs; ++o) body((n * g.channels + c) * outputs + o);
      }
    };
    for_channel([&](std::int64_t e) {
      sum += W(dz[e]);
      sum_xhat += W(dz[e]) * xhat(e);
    });
    for_channel([&](std::int64_t e) {
      dz[e] = T(W(gamma[c]) * W(invstd[c]) * (W(dz[e]) - sum / count - xhat(e) * sum_xhat / count));
    });
    dgamma[c] = T(sum_xhat);
    dbeta[c] = T(sum);
    for (std::int64_t ci = 0; ci < g.in_channels; ++ci) {
      for (std::int64_t slot = 0; slot < g.live_taps(); ++slot)
        dw[(slot * g.in_channels + ci) * g.channels + c] = T(0);
      for (std::int64_t n = 0; n < g.batch; ++n) {
        const T* from = x + (n * g.in_channels + ci) * g.in_volume();
        const T* slope = dz + (n * g.channels + c) * outputs;
        for_each_stem_pair(g, [&](std::int64_t o, std::int64_t slot, std::int64_t i) {
          dw[(slot * g.in_channels + ci) * g.channels + c] += slope[o] * from[i];
        });
      }
    }
  }
}

template <class T>
std::size_t stem3d_output_bytes(const StemGeometry& g) {
  return static_cast<std::size_t>(g.batch * g.channels * g.conv_volume()) * sizeof(T);
}
template <class T>
std::size_t stem3d_forward_reference_workspace(const Stem3dForward& op) {
  return stem3d_output_bytes<T>(op.geometry);
}
template <class T>
std::size_t stem3d_inference_reference_workspace(const Stem3dInference& op) {
  return stem3d_output_bytes<T>(op.geometry);
}
template <class T>
std::size_t stem3d_backward_reference_workspace(const Stem3dBackward& op) {
  return 2 * stem3d_output_bytes<T>(op.geometry);
}

}  // namespace umbra
