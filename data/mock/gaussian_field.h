// A Gaussian random field: the amplitudes delta_k of one realisation of a power spectrum in a periodic cube.
//
//   <|delta_k|^2> = P(k) / L^3,   delta_(-k) = conj(delta_k),   delta(x) = sum_k delta_k exp(ikx).
//
// The random numbers of a mode are keyed by its wave vector, not by its place in memory: a finer grid of
// the same box and seed has the same modes as the coarser one. Modes on the Nyquist planes are zero,
// because their derivative is not defined.
#pragma once

#include <cstdint>

#include "data/mock/fft.h"
#include "data/mock/power_spectrum.h"

namespace umbra::mock {

/// delta_k on a grid of n^3 in a cube of side `box_size` Mpc/h, tapered by exp(-(k R)^2 / 2) with R =
/// `smoothing` Mpc/h.
Grid gaussian_modes(int n, double box_size, const PowerSpectrum& spectrum, std::uint64_t seed,
                    double smoothing = 0);

}  // namespace umbra::mock
