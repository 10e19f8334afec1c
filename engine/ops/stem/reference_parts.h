// The parts of the stem's references, in plain loops on any scalar: the pairs of outputs and taps that
// touch data, the convolution, the pooling, the affine map and the statistics of the patches.
#pragma once

#include "engine/ops/shared/accumulator.h"
#include "engine/ops/stem/op.h"

namespace umbra {

/// Calls body(o, slot, i) for every output o of the convolution and tap with data: slot is the tap's index
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

/// y [q][C][N] and the winners (unless null), the maxima of z [N][C][O], which is not negative: of equal
/// values the first wins, and a NaN replaces any earlier value, as in engine/ops/pool.
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

/// Sum of term(n, od, oh, ow) over all outputs of the convolution, added within rows, planes and samples,
/// so that the rounding errors of equal terms (the zeros of padding minus their mean) do not accumulate.
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

/// Number k of a patch: the input that one tap reads, or 0 in the padding.
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
  Accumulator<T> operator()(std::int64_t n, std::int64_t od, std::int64_t oh, std::int64_t ow) const {
    const std::int64_t i = d_.start(od) + td_, j = h_.start(oh) + th_, k = w_.start(ow) + tw_;
    const bool data = i >= 0 && i < d_.in && j >= 0 && j < h_.in && k >= 0 && k < w_.in;
    return data ? Accumulator<T>(x_[n * stride_ + (i * h_.in + j) * w_.in + k]) : Accumulator<T>(0);
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
void stem_patch_statistics(const StemGeometry& g, const T* x, Accumulator<T>* mu, Accumulator<T>* cov) {
  using W = Accumulator<T>;
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

/// a = relu(scale (z - mean) inverse + beta), in place; a NaN stays a NaN.
template <class T>
void stem_normalize(const StemGeometry& g, std::int64_t c, Accumulator<T> mean, Accumulator<T> inverse,
                    T gamma, T beta, T* z) {
  using W = Accumulator<T>;
  for (std::int64_t n = 0; n < g.batch; ++n) {
    T* row = z + (n * g.channels + c) * g.conv_volume();
    for (std::int64_t o = 0; o < g.conv_volume(); ++o) {
      const T a = T(W(gamma) * (W(row[o]) - mean) * inverse + W(beta));
      row[o] = a <= T(0) ? T(0) : a;
    }
  }
}

/// Bytes of the convolution's output.
inline std::size_t stem_output_bytes(const StemOp& op) {
  const StemGeometry& g = op.geometry;
  return static_cast<std::size_t>(g.batch * g.channels * g.conv_volume()) * size_of(op.dtype);
}

}  // namespace umbra
