// The stem in the gauntlet: inputs of the backward pass that belong together, error bounds, and winners of
// pooling windows whose two best elements differ by less than a rounding: there either answer is right.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/ops/stem/reference.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::absolutes, gauntlet::magnitudes_of_outputs, gauntlet::unit_roundoff, gauntlet::usual_growth;
using gauntlet::Bound, gauntlet::bound, gauntlet::Values;

/// z [N][C][O], the convolution in double.
std::vector<double> stem_raw(const StemGeometry& g, const std::vector<double>& x,
                             const std::vector<double>& w) {
  std::vector<double> z(static_cast<std::size_t>(g.batch * g.channels * g.conv_volume()));
  stem_convolution(g, x.data(), w.data(), z.data());
  return z;
}

/// The bytes of a buffer of i32 words held as doubles, and back.
std::vector<std::uint8_t> bytes_of(const std::vector<double>& words) {
  std::vector<std::uint8_t> bytes(words.size() * 4);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = static_cast<std::int32_t>(words[i]);
    std::memcpy(bytes.data() + 4 * i, &word, 4);
  }
  return bytes;
}
std::vector<double> words_of(const std::vector<std::uint8_t>& bytes) {
  std::vector<double> words(bytes.size() / 4);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::int32_t word;
    std::memcpy(&word, bytes.data() + 4 * i, 4);
    words[i] = word;
  }
  return words;
}

/// Gives a backward problem winners, patch_mean and patch_cov that are consistent with its inputs. mean and
/// invstd are left alone: the equations hold for any values.
void fit_stem(const Stem3dBackward& op, const Rng&, Values& in) {
  const StemGeometry& g = op.geometry;
  std::vector<double> z = stem_raw(g, in[1], in[2]), y(static_cast<std::size_t>(g.pooled()));
  for (std::int64_t c = 0; c < g.channels; ++c) {
    const auto i = static_cast<std::size_t>(c);
    stem_normalize(g, c, in[4][i], in[5][i], in[3][i], 0.0, z.data());
  }
  std::vector<std::uint8_t> winner(static_cast<std::size_t>(g.winner_words() * 4));
  stem_pool(g, z.data(), y.data(), winner.data());
  in[6] = words_of(winner);
  stem_patch_statistics(g, in[1].data(), in[7].data(), in[8].data());
}

/// The effect of rounding on the statistics of a channel.
struct StemChannelSizes {
  double size;          // mean of the sum of |w| |P|
  double invstd_error;  // relative, of invstd, in units of the relative error of z
  double var;
};
std::vector<StemChannelSizes> stem_sizes(const StemGeometry& g, const std::vector<double>& z,
                                         const std::vector<double>& z_abs, double epsilon) {
  std::vector<StemChannelSizes> sizes;
  const double count = static_cast<double>(g.batch * g.conv_volume());
  for (std::int64_t c = 0; c < g.channels; ++c) {
    double mean = 0, size = 0, squares = 0, var = 0;
    const auto for_all = [&](const auto& body) {
      for (std::int64_t n = 0; n < g.batch; ++n) {
        for (std::int64_t o = 0; o < g.conv_volume(); ++o)
          body(static_cast<std::size_t>((n * g.channels + c) * g.conv_volume() + o));
      }
    };
    for_all([&](std::size_t i) {
      mean += z[i] / count;
      size += z_abs[i] / count;
      squares += z_abs[i] * z_abs[i] / count;
    });
    for_all([&](std::size_t i) { var += (z[i] - mean) * (z[i] - mean) / count; });
    sizes.push_back({size, 1 + std::sqrt(var * squares) / (var + epsilon), var + std::sqrt(var * squares)});
  }
  return sizes;
}

/// The largest |w| |P| in every window: [q][C][N].
std::vector<double> stem_window_sizes(const StemGeometry& g, const std::vector<double>& z_abs) {
  std::vector<double> largest(static_cast<std::size_t>(g.pooled()));
  stem_pool<double>(g, z_abs.data(), largest.data(), nullptr);
  return largest;
}

double stem_growth(const StemGeometry& g) {
  return 8 + 8 * std::sqrt(static_cast<double>(g.patch()));
}

/// A rounding of z, relative to the sum of |w| |P|, moves the mean by as much and the variance by its product
/// with the standard deviation; the sums over outputs are held in double and add nothing.
Bound bound_of(const Stem3dForward& op, const Values& in, const Values& want) {
  const StemGeometry& g = op.geometry;
  Bound bound{magnitudes_of_outputs(want), stem_growth(g)};
  const std::vector<double> z_abs = stem_raw(g, absolutes(in[0]), absolutes(in[1]));
  const auto sizes = stem_sizes(g, stem_raw(g, in[0], in[1]), z_abs, op.epsilon);
  const std::vector<double> windows = stem_window_sizes(g, z_abs);
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    bound.magnitude[4][c] = std::abs(in[4][c]) + op.momentum * sizes[c].size;
    bound.magnitude[5][c] = in[5][c] + 2 * op.momentum * sizes[c].var;
    bound.magnitude[8][c] = sizes[c].size;
    bound.magnitude[9][c] *= sizes[c].invstd_error;
  }
  for (std::size_t e = 0; e < windows.size(); ++e) {
    const std::size_t c = e / static_cast<std::size_t>(g.batch) % sizes.size();
    const double scale = std::abs(in[2][c]) * want[9][c] * sizes[c].invstd_error;
    bound.magnitude[6][e] = scale * (windows[e] + sizes[c].size) + std::abs(in[3][c]);
  }
  const std::vector<double> x = absolutes(in[0]);
  std::vector<double> mu(want[10].size()), cov(want[11].size());
  stem_patch_statistics(g, x.data(), mu.data(), cov.data());
  const double wider = usual_growth(op) / bound.growth;  // sums over all outputs
  for (std::size_t k = 0; k < mu.size(); ++k) {
    bound.magnitude[10][k] = wider * mu[k];
    for (std::size_t l = 0; l < mu.size(); ++l) {
      const double spread = std::sqrt(cov[k * mu.size() + k] * cov[l * mu.size() + l]);
      bound.magnitude[11][k * mu.size() + l] = wider * (spread + 2 * mu[k] * mu[l]);
    }
  }
  return bound;
}

Bound bound_of(const Stem3dInference& op, const Values& in, const Values& want) {
  const StemGeometry& g = op.geometry;
  Bound bound{magnitudes_of_outputs(want), stem_growth(g)};
  const std::vector<double> z_abs = stem_raw(g, absolutes(in[0]), absolutes(in[1]));
  const std::vector<double> windows = stem_window_sizes(g, z_abs);
  for (std::size_t e = 0; e < windows.size(); ++e) {
    const std::size_t c = e / static_cast<std::size_t>(g.batch) % static_cast<std::size_t>(g.channels);
    const double scale = std::abs(in[2][c]) / std::sqrt(in[5][c] + op.epsilon);
    bound.magnitude[6][e] = scale * (windows[e] + std::abs(in[4][c])) + std::abs(in[3][c]);
  }
  return bound;
}

/// The gradient's three terms on absolute values; xhat and z are as good as the sum of |w| |P|.
Bound bound_of(const Stem3dBackward& op, const Values& in, const Values& want) {
  const StemGeometry& g = op.geometry;
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const std::vector<double> x = absolutes(in[1]), z_abs = stem_raw(g, x, absolutes(in[2]));
  const std::vector<std::uint8_t> winner = bytes_of(in[6]);
  const auto patch = static_cast<std::size_t>(g.patch()), channels = static_cast<std::size_t>(g.channels);
  const double count = static_cast<double>(g.batch * g.conv_volume());
  std::vector<double> mu(patch);
  for (std::size_t k = 0; k < patch; ++k)
    mu[k] = stem_sum<double>(g, StemPatch<double>(g, x.data(), static_cast<std::int64_t>(k))) / count;
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = std::abs(in[4][c]), inverse = in[5][c], gamma = std::abs(in[3][c]);
    const auto z_at = [&](std::int64_t n) {
      return (n * g.channels + static_cast<std::int64_t>(c)) * g.conv_volume();
    };
    std::vector<double> sparse(patch), dense(patch);
    double sum = 0, sum_xhat = 0, size = 0;
    for (std::int64_t n = 0; n < g.batch; ++n) {
      const double* row = z_abs.data() + z_at(n);
      std::vector<double> dz(static_cast<std::size_t>(g.conv_volume()));
      for_each_pool_pair(g, [&](std::int64_t q, std::int64_t tap, std::int64_t o) {
        const auto e =
            static_cast<std::size_t>((q * g.channels + static_cast<std::int64_t>(c)) * g.batch + n);
        if (winner[e] != tap) return;
        dz[static_cast<std::size_t>(o)] += std::abs(in[0][e]);
        sum += std::abs(in[0][e]);
        sum_xhat += std::abs(in[0][e]) * (row[o] + mean) * inverse;
      });
      for (std::int64_t o = 0; o < g.conv_volume(); ++o) size += (row[o] + mean) / count;
      for (std::int64_t ci = 0; ci < g.in_channels; ++ci) {
        const double* from = x.data() + (n * g.in_channels + ci) * g.in_volume();
        for_each_stem_pair(g, [&](std::int64_t o, std::int64_t slot, std::int64_t i) {
          const auto k = static_cast<std::size_t>(slot * g.in_channels + ci);
          sparse[k] += dz[static_cast<std::size_t>(o)] * from[i];
          dense[k] += (row[o] + mean) * from[i] / count;
        });
      }
    }
    for (std::size_t k = 0; k < patch; ++k) {
      const double xhat = sum_xhat * inverse * (dense[k] + size * mu[k]);
      bound.magnitude[9][k * channels + c] = gamma * inverse * (sparse[k] + sum * mu[k] + xhat);
    }
    bound.magnitude[10][c] = sum_xhat;
    bound.magnitude[11][c] = sum;
  }
  return bound;
}

/// If the winner of a window differs from that in `want` but is as good within the roundings of y, or if a
/// gradient is stopped whose y is zero within its roundings, the kernel's answer is copied to `want`. Ties of
/// elements that are equal in double must be resolved as in the reference.
void settle_winners(const Stem3dForward& op, const Values& in, const Bound& bound, const Values& outputs,
                    Values& want) {
  const StemGeometry& g = op.geometry;
  const double roundoff = unit_roundoff(op.dtype);
  const std::vector<std::uint8_t> got = bytes_of(outputs[7]);
  std::vector<std::uint8_t> winner = bytes_of(want[7]);
  if (got == winner) return;
  const std::vector<double> z = stem_raw(g, in[0], in[1]);
  const std::vector<double> windows = stem_window_sizes(g, stem_raw(g, absolutes(in[0]), absolutes(in[1])));
  // The best and the named element of every window, times the sign of gamma.
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  std::vector<double> best(want[6].size(), kNone), named(want[6].size(), kNone);
  for_each_pool_pair(g, [&](std::int64_t q, std::int64_t tap, std::int64_t o) {
    for (std::int64_t c = 0; c < g.channels; ++c) {
      const double gamma = in[2][static_cast<std::size_t>(c)];
      for (std::int64_t n = 0; n < g.batch; ++n) {
        const auto e = static_cast<std::size_t>((q * g.channels + c) * g.batch + n);
        const double raw = z[static_cast<std::size_t>((n * g.channels + c) * g.conv_volume() + o)];
        const double key = gamma > 0 ? raw : gamma < 0 ? -raw : 0;
        best[e] = std::max(best[e], key);
        if (got[e] == tap) named[e] = key;
      }
    }
  });
  for (std::size_t e = 0; e < best.size(); ++e) {
    if (got[e] == winner[e]) continue;
    const bool small = want[6][e] <= roundoff * bound.growth * bound.magnitude[6][e];
    // The composition compares after the affine map, whose roundings hide differences of z.
    const std::size_t c = e / static_cast<std::size_t>(g.batch) % static_cast<std::size_t>(g.channels);
    const double scale = std::abs(in[2][c]) * want[9][c];
    const bool close = scale * (best[e] - named[e]) <= 2 * roundoff * bound.growth * bound.magnitude[6][e];
    const bool right = got[e] == kNoWinner      ? small
                       : winner[e] == kNoWinner ? small && close
                                                : close && named[e] < best[e];
    if (right) winner[e] = got[e];
  }
  want[7] = words_of(winner);
}

}  // namespace

std::vector<gauntlet::OpRules> stem_rules() {
  return {{.op = Stem3dForward::kName,
           .bound = bound<Stem3dForward, bound_of>,
           .settle = gauntlet::settle<Stem3dForward, settle_winners>},
          {.op = Stem3dInference::kName, .bound = bound<Stem3dInference, bound_of>},
          {.op = Stem3dBackward::kName,
           .bound = bound<Stem3dBackward, bound_of>,
           .fill = gauntlet::fill<Stem3dBackward, fit_stem>}};
}

}  // namespace umbra
