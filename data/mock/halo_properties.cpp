#include "data/mock/halo_properties.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

constexpr double kCriticalDensity = 2.77536627e11;  // Msun/h per (Mpc/h)^3
constexpr double kMassAt200 = 1.5675e12;            // Msun
constexpr double kMassSlope = 1 / 0.3;
// 0.055 dex of V at fixed mass are 0.055 / 0.3 dex of mass at fixed V.
constexpr double kMassScatter = 0.055 * kMassSlope;
constexpr double kConcentrationScatter = 0.11;
constexpr double kVirialOver200 = 1.33;  // R_vir / R_200c, and so c_vir / c_200c, for c near 7
constexpr double kFormationScatter = 0.1;
constexpr double kFormationTie = 0.6;  // correlation of formation time with the latent number
constexpr double kSpinMedian = 0.036, kSpinScatter = 0.25;

/// The random numbers of a halo. The values are the keys of the random streams.
enum Draw : std::uint64_t { kLatent, kFormation, kSpin, kPresent, kInfall, kStripping, kInfallTime };

double normal(const Rng& rng, Draw draw, std::int64_t halo) {
  return rng.stream(draw).normal(static_cast<std::uint64_t>(halo));
}

double power10(double x) {
  return std::pow(10.0, x);
}

/// Scale factor at which the halo had half its peak mass.
double formation_scale(const Rng& rng, std::int64_t i, double mpeak, double h) {
  const double z = std::max(0.1, 1.26 - 0.24 * std::log10(mpeak / h / 1e12));
  // The latent number is positive for concentrated halos, which formed early.
  const double g = -kFormationTie * normal(rng, kLatent, i) +
                   std::sqrt(1 - kFormationTie * kFormationTie) * normal(rng, kFormation, i);
  return std::clamp(1 / (1 + z) + kFormationScatter * g, 0.08, 0.98);
}

}  // namespace

double median_peak_mass(double velocity, double h) {
  return h * kMassAt200 * std::pow(velocity / 200, kMassSlope);
}

double mean_matter_density(double omega_m) {
  return omega_m * kCriticalDensity;
}

double virial_radius(double mass, double omega_m) {
  const double x = omega_m - 1;
  const double overdensity =
      18 * std::numbers::pi * std::numbers::pi + 82 * x - 39 * x * x;  // times critical
  return std::cbrt(3 * mass / (4 * std::numbers::pi * overdensity * kCriticalDensity));
}

void draw_masses(Halos& halos, const Cosmology& cosmology, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kMockProperty);
  halos.mpeak.resize(halos.vpeak.size());
  halos.concentration.resize(halos.vpeak.size());
  parallel_chunks(halos.count(), 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto i = static_cast<std::size_t>(row);
      const double latent = normal(rng, kLatent, row);
      halos.mpeak[i] = median_peak_mass(halos.vpeak[i], cosmology.h) * power10(-kMassScatter * latent);
      const double c200 =
          power10(0.905 - 0.101 * std::log10(halos.mpeak[i] / 1e12) + kConcentrationScatter * latent);
      halos.concentration[i] = kVirialOver200 * c200;
    }
  });
}

void draw_histories(Halos& halos, const Cosmology& cosmology, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kMockProperty);
  for (auto* column : {&halos.vacc, &halos.macc, &halos.mvir, &halos.halfmass_scale, &halos.spin})
    column->resize(halos.vpeak.size());
  const auto history = [&](std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    halos.spin[i] = kSpinMedian * power10(kSpinScatter * normal(rng, kSpin, row));
    const double formed = formation_scale(rng, row, halos.mpeak[i], cosmology.h);
    const double present = std::abs(normal(rng, kPresent, row));
    if (halos.host[i] < 0) {
      // Distinct halos are at or a little below their peak: they still grow, or lost mass in a fly-by.
      halos.mvir[i] = halos.macc[i] = halos.mpeak[i] * power10(-0.03 * present);
      halos.vacc[i] = halos.vpeak[i] * power10(-0.02 * present);
      halos.halfmass_scale[i] = formed;
      return;
    }
    // A satellite stopped growing at infall and has been losing its outer parts since.
    const double infall = std::abs(normal(rng, kInfall, row));
    const double infall_scale =
        1 - 0.6 * rng.stream(kInfallTime).uniform(static_cast<std::uint64_t>(row));  // 0.4 to 1
    halos.macc[i] = halos.mpeak[i] * power10(-0.06 * infall);
    halos.vacc[i] = halos.vpeak[i] * power10(-0.03 * infall);
    halos.halfmass_scale[i] = std::max(0.05, formed * infall_scale);
    const double lost = 0.9 * (1 - infall_scale) + 0.15 * std::abs(normal(rng, kStripping, row));  // dex
    halos.mvir[i] = halos.macc[i] * power10(-lost);
  };
  parallel_chunks(halos.count(), 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) history(row);
  });
  parallel_chunks(halos.count(), 4096, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      if (halos.host[i] >= 0)
        halos.mvir[i] = std::min(halos.mvir[i], 0.5 * halos.mvir[static_cast<std::size_t>(halos.host[i])]);
  });
}

}  // namespace umbra::mock
