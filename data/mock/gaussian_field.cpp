#include "data/mock/gaussian_field.h"

#include <cmath>
#include <cstdlib>
#include <numbers>
#include <vector>

#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

/// A number for a wave vector whose components fit 20 signed bits.
std::uint64_t mode_index(int x, int y, int z) {
  constexpr int kOffset = 1 << 19;
  return static_cast<std::uint64_t>(x + kOffset) << 40 | static_cast<std::uint64_t>(y + kOffset) << 20 |
         static_cast<std::uint64_t>(z + kOffset);
}

/// A complex normal number with <|g|^2> = 1, from one draw (Box & Muller 1958).
std::complex<double> complex_normal(const Rng& rng, std::uint64_t index) {
  const Philox4 w = rng.words(index);
  const double u = (static_cast<double>((std::uint64_t{w[0]} << 32 | w[1]) >> 11) + 0.5) * 0x1p-53;
  const double v = static_cast<double>((std::uint64_t{w[2]} << 32 | w[3]) >> 11) * 0x1p-53;
  return std::polar(std::sqrt(-std::log(u)), 2 * std::numbers::pi * v);
}

/// sqrt(P(k) / L^3) times the taper, for every squared wave number that occurs, in units of the fundamental.
std::vector<float> amplitudes(int n, double box_size, const PowerSpectrum& spectrum, double smoothing) {
  const double fundamental = 2 * std::numbers::pi / box_size;
  std::vector<float> table(static_cast<std::size_t>(3 * (n / 2) * (n / 2) + 1));
  parallel_chunks(static_cast<std::int64_t>(table.size()), 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double k = fundamental * std::sqrt(static_cast<double>(i)), y = k * smoothing;
      table[static_cast<std::size_t>(i)] = static_cast<float>(
          std::sqrt(spectrum(k) / (box_size * box_size * box_size)) * std::exp(-y * y / 2));
    }
  });
  return table;
}

}  // namespace

Grid gaussian_modes(int n, double box_size, const PowerSpectrum& spectrum, std::uint64_t seed,
                    double smoothing) {
  Grid grid(n);
  const std::vector<float> amplitude = amplitudes(n, box_size, spectrum, smoothing);
  const Rng rng(seed, Purpose::kMockField);
  parallel_for(n, [&](std::int64_t plane) {
    const int kx = grid.wave_number(static_cast<int>(plane));
    for (int y = 0; y < n; ++y) {
      const int ky = grid.wave_number(y);
      std::complex<float>* modes = grid.modes(static_cast<int>(plane), y);
      if (std::abs(kx) == n / 2 || std::abs(ky) == n / 2) continue;  // Nyquist: stays zero
      for (int kz = 0; kz < n / 2; ++kz) {
        const int squared = kx * kx + ky * ky + kz * kz;
        if (squared == 0) continue;
        // With kz = 0 both k and -k are stored: the one that comes first in order draws for the two.
        const bool mirrored = kz == 0 && (kx < 0 || (kx == 0 && ky < 0));
        const int sign = mirrored ? -1 : 1;
        const auto g = complex_normal(rng, mode_index(sign * kx, sign * ky, kz));
        const std::complex<float> value(static_cast<float>(g.real()), static_cast<float>(sign * g.imag()));
        modes[kz] = amplitude[static_cast<std::size_t>(squared)] * value;
      }
    }
  });
  return grid;
}

}  // namespace umbra::mock
