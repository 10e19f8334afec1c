// The linear matter power spectrum at z = 0: Eisenstein & Hu 1998 (ApJ 496, 605), equations 2-24, with baryon
// wiggles.
//
//   P(k) = A k^n_s T(k)^2,   T = (omega_b / omega_m) T_b + (omega_c / omega_m) T_c,
//   sigma^2(R) = 1/(2 pi^2) int dk k^2 P(k) W(kR)^2,   W(y) = 3 (sin y - y cos y) / y^3,
//   A from sigma(8 Mpc/h).
//
// Wave numbers outside this file are in h/Mpc; inside the transfer function they are in 1/Mpc, as in the
// paper.
#pragma once

#include "data/catalogs/catalog.h"

namespace umbra::mock {

/// The power spectrum of a cosmology, with Eisenstein & Hu (1998), equations 2-24.
class PowerSpectrum {
 public:
  /// Throws Error when a parameter is not finite or outside the range of the fit.
  explicit PowerSpectrum(const Cosmology& cosmology);

  /// T(k), normalised to 1 on large scales; k in h/Mpc.
  double transfer(double k) const;
  /// P(k) in (Mpc/h)^3; k in h/Mpc. P(0) = 0.
  double operator()(double k) const;
  /// The r.m.s. linear overdensity in a sphere of `radius` Mpc/h.
  double sigma(double radius) const;

 private:
  Cosmology cosmology_;
  double amplitude_ = 1;
  // Names of the paper; lengths in Mpc, wave numbers in 1/Mpc.
  double baryons_;  // omega_b / omega_m
  double k_equality_, sound_horizon_, k_silk_;
  double alpha_c_, beta_c_, alpha_b_, beta_b_, beta_node_;
};

}  // namespace umbra::mock
