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

namespace umbra::mock {

/// What moves the particle at lattice point q to its place today, Mpc/h, one grid per axis.
struct Displacement {
  Grid x, y, z;
};

/// laplacian phi2 as amplitudes, from the amplitudes of delta. Independent of the box size.
Grid second_order_source(const Grid& delta, const Fft& fft);

/// The displacement from the amplitudes of delta, which are used up. Holds four grids at its peak.
Displacement displacement_2lpt(Grid delta, double box_size, double omega_m, const Fft& fft);

}  // namespace umbra::mock
