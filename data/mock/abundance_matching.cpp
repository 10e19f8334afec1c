#include "data/mock/abundance_matching.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

/// y at `at` on the polyline (x, y), x ascending; the end segments continue.
double interpolate(const std::vector<double>& x, const std::vector<double>& y, double at) {
  const auto upper = std::upper_bound(x.begin(), x.end(), at) - x.begin();
  const auto i = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(upper, 1, std::ssize(x) - 1));
  return y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]);
}

double normal_above(double sigmas) {
  return 0.5 * std::erfc(sigmas / std::numbers::sqrt2);
}

}  // namespace

StellarMassFunction::StellarMassFunction(std::span<const SmfRow> rows, double h) {
  constexpr double kFaintestPhi = 1e-6;
  for (const SmfRow& row : rows) {
    if (!(row.phi > kFaintestPhi)) continue;
    require(centre_.empty() || row.centre > centre_.back(), "the stellar mass function lists the bin ",
            row.centre, " after the bin ", centre_.empty() ? 0.0 : centre_.back(),
            ", where ascending masses are expected");
    centre_.push_back(row.centre);
    ln_phi_.push_back(std::log(row.phi / (h * h * h)));
  }
  require(centre_.size() >= 3, "the stellar mass function has ", centre_.size(),
          " bins with galaxies, where at least 3 are expected");
  // From the bright end down, so that small numbers are added first. 4 dex beyond the table there is no
  // galaxy.
  constexpr double kStep = 0.0025, kBeyond = 1.2, kBelow = 3.0;
  double sum = 0;
  for (double m = centre_.back() + kBeyond; m > centre_.front() - kBelow; m -= kStep) {
    sum += kStep * std::exp(log_phi(m + kStep / 2));
    grid_mass_.push_back(m);
    grid_ln_n_.push_back(std::log(sum));
  }
  std::reverse(grid_mass_.begin(), grid_mass_.end());
  std::reverse(grid_ln_n_.begin(), grid_ln_n_.end());
}

double StellarMassFunction::log_phi(double m) const {
  const std::size_t last = centre_.size() - 1;
  if (m < centre_.front())
    return ln_phi_[0] + (m - centre_[0]) * (ln_phi_[2] - ln_phi_[0]) / (centre_[2] - centre_[0]);
  if (m <= centre_.back()) return interpolate(centre_, ln_phi_, m);
  // Newton's parabola through the last three rows; it falls at least as fast as its last chord.
  const double slope = (ln_phi_[last] - ln_phi_[last - 1]) / (centre_[last] - centre_[last - 1]);
  const double before = (ln_phi_[last - 1] - ln_phi_[last - 2]) / (centre_[last - 1] - centre_[last - 2]);
  const double bend = std::min(0.0, (slope - before) / (centre_[last] - centre_[last - 2]));
  const double d = m - centre_[last];
  return ln_phi_[last] + d * slope + d * (m - centre_[last - 1]) * bend;
}

double StellarMassFunction::phi(double m) const {
  return std::exp(log_phi(m));
}
double StellarMassFunction::cumulative(double m) const {
  return std::exp(interpolate(grid_mass_, grid_ln_n_, m));
}
double StellarMassFunction::mass_at(double density) const {
  const double target = std::log(density);
  // grid_ln_n_ descends with mass: search it backwards.
  const auto below = std::lower_bound(grid_ln_n_.begin(), grid_ln_n_.end(), target, std::greater<>());
  const auto i = static_cast<std::size_t>(
      std::clamp<std::ptrdiff_t>(below - grid_ln_n_.begin(), 1, std::ssize(grid_ln_n_) - 1));
  return grid_mass_[i - 1] + (grid_mass_[i] - grid_mass_[i - 1]) * (target - grid_ln_n_[i - 1]) /
                                 (grid_ln_n_[i] - grid_ln_n_[i - 1]);
}

StellarRelation::StellarRelation(const StellarMassFunction& target, double scatter) : scatter_(scatter) {
  // The grid runs from one galaxy in (10 Gpc/h)^3 to far more than any halo list has. Each iteration adds
  // the error of the scattered relation to the mass at n: m(n) += target(n) - scattered(n); m must stay
  // monotonic. Above kLastFree the grid is about to end and its scattered version is wrong, so the shift at
  // kLastFree is used there.
  constexpr double kFirst = -27.7, kLastFree = 3.0, kLast = 6.0, kStep = 0.04, kMassStep = 0.02;
  constexpr int kRounds = 60;
  std::vector<double> wanted;
  for (double ln_n = kFirst; ln_n <= kLast; ln_n += kStep) {
    ln_n_.push_back(ln_n);
    n_.push_back(std::exp(ln_n));
    wanted.push_back(target.mass_at(std::exp(ln_n)));
  }
  mass_ = wanted;
  std::vector<double> grid;  // masses at which the scattered relation is tabulated, descending
  for (double m = wanted.front() + 1; m > wanted.back() - 1; m -= kMassStep) grid.push_back(m);
  std::vector<double> scattered(grid.size());  // ln n(>m) of the scattered relation, ascending
  for (int round = 0; round < kRounds; ++round) {
    parallel_chunks(std::ssize(grid), 16, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
        scattered[i] = std::log(scattered_cumulative(grid[i]) + 1e-300);
    });
    double shift = 0;
    for (std::size_t i = 0; i < mass_.size(); ++i) {
      if (ln_n_[i] < kLastFree) shift = wanted[i] - interpolate(scattered, grid, ln_n_[i]);
      mass_[i] += shift;
      if (i > 0) mass_[i] = std::min(mass_[i], mass_[i - 1] - 1e-6);
    }
  }
}

double StellarRelation::median(double density) const {
  return interpolate(ln_n_, mass_, std::log(density));
}

double StellarRelation::scattered_cumulative(double log_mass) const {
  // Integral over dn = n d ln n, trapezium rule; halos beyond 6 sigma contribute all or nothing.
  double sum = 0;
  for (std::size_t i = 1; i < ln_n_.size(); ++i) {
    const double sigmas = (log_mass - (mass_[i] + mass_[i - 1]) / 2) / scatter_;
    if (sigmas > 6) break;
    sum += (sigmas < -6 ? 1.0 : normal_above(sigmas)) * (n_[i] - n_[i - 1]);
  }
  return sum + normal_above((log_mass - mass_[0]) / scatter_) * n_[0];
}

double StellarRelation::completeness(double log_mass, double density) const {
  double all = 0, kept = 0;
  for (std::size_t i = 1; i < ln_n_.size(); ++i) {
    const double sigmas = (log_mass - (mass_[i] + mass_[i - 1]) / 2) / scatter_;
    const double low = n_[i - 1], high = n_[i];
    const double weight = std::exp(-sigmas * sigmas / 2);
    all += weight * (high - low);
    kept += weight * std::clamp(density - low, 0.0, high - low);
  }
  return all > 0 ? kept / all : 1;
}

}  // namespace umbra::mock
