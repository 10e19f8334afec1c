// Second-order Lagrangian perturbation theory at z = 0 (Bouchet et al. 1995; Crocce, Pueblas & Scoccimarro
// 2006):
//
//   x = q - grad phi1 + D2 grad phi2,   laplacian phi1 = delta,   D2 = -(3/7) omega_m^(-1/143),
//   laplacian phi2 = sum_{i>j} [phi1,ii phi1,jj - phi1,ij^2].
//
// Everything is a product in Fourier space except the source of phi2, which is a product in real space. The
// mean of that source, which should vanish, is dropped with the k = 0 mode.
#pragma once

#include "data/mock/fft.h"
#include "engine/base/stage.h"

namespace umbra::mock {

/// The displacement of the particle at lattice point q at z = 0, Mpc/h, one grid per axis.
struct Displacement {
  Grid x,  ///< [n, n, n]
      y,   ///< [n, n, n]
      z;   ///< [n, n, n]
};

/// The amplitudes of laplacian phi2 from the amplitudes of delta. Independent of the box size. Every Fourier
/// transform is added to `stage`, if there is one.
Grid second_order_source(const Grid& delta, const Fft& fft, Stage* stage = nullptr);

/// The transforms that displacement_2lpt() adds to its stage.
inline constexpr std::int64_t kTransforms2Lpt = 10;

/// The displacement from the amplitudes of delta, whose memory is reused. Needs four grids of memory at its
/// peak. `box_size` in Mpc/h.
Displacement displacement_2lpt(Grid delta, double box_size, double omega_m, const Fft& fft,
                               Stage* stage = nullptr);

}  // namespace umbra::mock
