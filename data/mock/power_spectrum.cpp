#include "data/mock/power_spectrum.h"

#include <cmath>
#include <numbers>

#include "engine/base/error.h"

namespace umbra::mock {
namespace {

constexpr double kTheta = 2.7255 / 2.7;  // temperature of the microwave background in units of 2.7 K

/// Equation 15.
double suppression(double y) {
  const double root = std::sqrt(1 + y);
  return y * (-6 * root + (2 + 3 * y) * std::log((root + 1) / (root - 1)));
}

/// Equations 19 and 20: the transfer function of pressureless matter with q = k / (13.41 k_eq).
double pressureless(double q, double alpha, double beta) {
  const double logarithm = std::log(std::numbers::e + 1.8 * beta * q);
  const double curvature = 14.2 / alpha + 386 / (1 + 69.9 * std::pow(q, 1.08));
  return logarithm / (logarithm + curvature * q * q);
}

double top_hat(double y) {
  if (y < 1e-2) return 1 - y * y / 10;  // the series; the difference below cancels
  return 3 * (std::sin(y) - y * std::cos(y)) / (y * y * y);
}

}  // namespace

PowerSpectrum::PowerSpectrum(const Cosmology& cosmology) : cosmology_(cosmology) {
  const auto [h, omega_m, omega_b, sigma_8, n_s] = cosmology;
  require(h > 0.1 && h < 2, "the cosmology has h = ", h, ", where a number between 0.1 and 2 is expected");
  require(omega_m > 0.01 && omega_m <= 1, "the cosmology has omega_m = ", omega_m,
          ", where a number between 0.01 and 1 is expected");
  require(omega_b > 0 && omega_b < omega_m, "the cosmology has omega_b = ", omega_b,
          ", where a number between 0 and omega_m is expected");
  require(sigma_8 > 0 && sigma_8 < 10, "the cosmology has sigma_8 = ", sigma_8,
          ", where a number between 0 and 10 is expected");
  require(std::abs(n_s) < 3, "the cosmology has n_s = ", n_s,
          ", where a number between -3 and 3 is expected");

  const double m = omega_m * h * h, b = omega_b * h * h, theta2 = kTheta * kTheta;
  baryons_ = omega_b / omega_m;
  const double cold = 1 - baryons_;
  const double z_equality = 2.50e4 * m / (theta2 * theta2);  // eq. 2
  k_equality_ = 0.0746 * m / theta2;                         // eq. 3
  const double d1 = 0.313 * std::pow(m, -0.419) * (1 + 0.607 * std::pow(m, 0.674));
  const double d2 = 0.238 * std::pow(m, 0.223);
  const double z_drag =
      1291 * std::pow(m, 0.251) / (1 + 0.659 * std::pow(m, 0.828)) * (1 + d1 * std::pow(b, d2));    // eq. 4
  const auto baryon_to_photon = [&](double z) { return 31.5 * b / (theta2 * theta2) * 1000 / z; };  // eq. 5
  const double r_drag = baryon_to_photon(z_drag), r_equality = baryon_to_photon(z_equality);
  sound_horizon_ =
      2 / (3 * k_equality_) * std::sqrt(6 / r_equality) *
      std::log((std::sqrt(1 + r_drag) + std::sqrt(r_drag + r_equality)) / (1 + std::sqrt(r_equality)));
  k_silk_ = 1.6 * std::pow(b, 0.52) * std::pow(m, 0.73) * (1 + std::pow(10.4 * m, -0.95));  // eq. 7

  const double a1 = std::pow(46.9 * m, 0.670) * (1 + std::pow(32.1 * m, -0.532));
  const double a2 = std::pow(12.0 * m, 0.424) * (1 + std::pow(45.0 * m, -0.582));
  alpha_c_ = std::pow(a1, -baryons_) * std::pow(a2, -baryons_ * baryons_ * baryons_);  // eq. 11
  const double b1 = 0.944 / (1 + std::pow(458 * m, -0.708));
  const double b2 = std::pow(0.395 * m, -0.0266);
  beta_c_ = 1 / (1 + b1 * (std::pow(cold, b2) - 1));  // eq. 12
  alpha_b_ = 2.07 * k_equality_ * sound_horizon_ * std::pow(1 + r_drag, -0.75) *
             suppression((1 + z_equality) / (1 + z_drag));                             // eq. 14
  beta_b_ = 0.5 + baryons_ + (3 - 2 * baryons_) * std::sqrt(17.2 * m * 17.2 * m + 1);  // eq. 24
  beta_node_ = 8.41 * std::pow(m, 0.435);                                              // eq. 23

  amplitude_ = std::pow(sigma_8 / sigma(8.0), 2);
}

double PowerSpectrum::transfer(double k_h) const {
  const double k = k_h * cosmology_.h;  // 1/Mpc
  if (k <= 0) return 1;
  const double q = k / (13.41 * k_equality_), ks = k * sound_horizon_;
  const double f = 1 / (1 + std::pow(ks / 5.4, 4));  // eq. 18
  const double cold =
      f * pressureless(q, 1, beta_c_) + (1 - f) * pressureless(q, alpha_c_, beta_c_);  // eq. 17
  const double shifted = ks / std::cbrt(1 + std::pow(beta_node_ / ks, 3));  // k times s tilde, eq. 22
  const double wave = std::abs(shifted) < 1e-6 ? 1.0 : std::sin(shifted) / shifted;
  const double baryon = (pressureless(q, 1, 1) / (1 + std::pow(ks / 5.2, 2)) +
                         alpha_b_ / (1 + std::pow(beta_b_ / ks, 3)) * std::exp(-std::pow(k / k_silk_, 1.4))) *
                        wave;  // eq. 21
  return baryons_ * baryon + (1 - baryons_) * cold;
}

double PowerSpectrum::operator()(double k) const {
  if (k <= 0) return 0;
  const double t = transfer(k);
  return amplitude_ * std::pow(k, cosmology_.n_s) * t * t;
}

double PowerSpectrum::sigma(double radius) const {
  // The integrand per ln k, by the trapezium rule; it vanishes at both ends, where the rule converges
  // fastest.
  constexpr double kStep = 0.005;
  const double first = std::log(1e-5), last = std::log(1e3 / radius);
  const int steps = static_cast<int>((last - first) / kStep);
  double sum = 0;
  for (int i = 0; i <= steps; ++i) {
    const double k = std::exp(first + i * kStep), w = top_hat(k * radius);
    sum += k * k * k * (*this)(k)*w * w;
  }
  return std::sqrt(sum * kStep / (2 * std::numbers::pi * std::numbers::pi));
}

}  // namespace umbra::mock
