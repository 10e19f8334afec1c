// The halos and galaxies of the mock: velocity function, abundance matching, satellites and properties.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/mock/abundance_matching.h"
#include "data/mock/halo_properties.h"
#include "data/mock/satellites.h"
#include "data/mock/velocity_function.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace umbra::mock {
namespace {

TEST(MockVelocityFunction, HasTheCountsOfItsTableAndInverts) {
  // n(>V) in (h/Mpc)^3 from matching UniverseMachine's galaxies; the fit is accurate to 7 %.
  const double table[][2] = {{100, 5.09e-2}, {150, 1.54e-2}, {200, 5.91e-3},
                             {300, 1.73e-3}, {500, 3.45e-4}, {800, 5.23e-5}};
  for (const auto& [velocity, density] : table)
    EXPECT_NEAR(cumulative_density(velocity) / density, 1, 0.07) << velocity;
  for (double v : {20.0, 60.0, 150.0, 400.0, 1000.0, 1900.0})
    EXPECT_NEAR(velocity_at_density(cumulative_density(v)) / v, 1, 1e-10) << v;
}

TEST(MockVelocityFunction, DrawsFollowIt) {
  const std::int64_t count = 100000;
  const auto velocities = draw_velocities(count, 100, 7);
  ASSERT_EQ(velocities.size(), static_cast<std::size_t>(count));
  EXPECT_TRUE(std::is_sorted(velocities.rbegin(), velocities.rend()));
  EXPECT_GE(velocities.back(), 100);
  for (double v : {120.0, 200.0, 400.0}) {
    const double expected = count * cumulative_density(v) / cumulative_density(100);
    const auto above = std::count_if(velocities.begin(), velocities.end(), [&](double x) { return x > v; });
    EXPECT_NEAR(static_cast<double>(above), expected, 4 * std::sqrt(expected)) << v;
  }
  EXPECT_EQ(velocities, draw_velocities(count, 100, 7));
  EXPECT_NE(velocities, draw_velocities(count, 100, 8));
}

TEST(MockAbundance, IntegratesAndInvertsTheTable) {
  const StellarMassFunction target(um_dr1_smf(), 0.678);
  // The bin at 10.5: 4.41795e-3 Mpc^-3 dex^-1 at h = 0.678.
  EXPECT_NEAR(target.phi(10.5), 4.41795e-3 / std::pow(0.678, 3), 1e-7);
  EXPECT_NEAR(target.between(10.4, 10.6) / (0.2 * 4.41795e-3 / std::pow(0.678, 3)), 1, 0.03);
  for (double m : {8.0, 9.5, 10.8, 11.6, 12.2}) EXPECT_NEAR(target.mass_at(target.cumulative(m)), m, 1e-6);
  EXPECT_GT(target.cumulative(6.0), target.cumulative(7.0));
}

TEST(MockAbundance, RefusesTablesThatAreNone) {
  const std::vector<SmfRow> falling = {{10, 1e-2, 0}, {9, 1e-3, 0}, {11, 1e-4, 0}};
  EXPECT_THROW(StellarMassFunction(falling, 0.7), Error);
  const std::vector<SmfRow> empty = {{10, 0, 0}, {11, 0, 0}, {12, 0, 0}};
  EXPECT_THROW(StellarMassFunction(empty, 0.7), Error);
}

TEST(MockAbundance, ScatteringTheDeconvolvedRelationGivesTheTargetBack) {
  const StellarMassFunction target(um_dr1_smf(), 0.678);
  const StellarRelation relation(target, kStellarScatter);
  for (double m = 9; m < 12.05; m += 0.1)
    EXPECT_NEAR(relation.scattered_cumulative(m) / target.cumulative(m), 1, 0.01) << "log M* = " << m;
  // Without deconvolution the bright end would be far too high: the relation must lie below plain matching
  // there.
  const double rare = target.cumulative(11.6);
  EXPECT_LT(relation.median(rare), 11.6 - 0.03);
  double before = 20;
  for (double ln_n = -20; ln_n < 2; ln_n += 0.1) {
    EXPECT_LT(relation.median(std::exp(ln_n)), before);
    before = relation.median(std::exp(ln_n));
  }
  EXPECT_NEAR(relation.completeness(11.5, cumulative_density(150)), 1, 1e-3);
  EXPECT_LT(relation.completeness(9.8, cumulative_density(150)), 0.6);
}

TEST(MockSatellites, ProbabilityGivesTheTableBackPerMassBin) {
  const StellarRelation relation(StellarMassFunction(um_dr1_smf(), 0.678), kStellarScatter);
  const auto velocity = draw_velocities(200000, 150, 1);
  const Rng rng(1, Purpose::kTest);
  std::vector<double> mass;
  for (std::size_t i = 0; i < velocity.size(); ++i)
    mass.push_back(relation.median(cumulative_density(velocity[i])) + kStellarScatter * rng.normal(i));
  const auto probability = satellite_probability(velocity, mass, um_dr1_smf());
  for (const SmfRow& row : um_dr1_smf()) {
    if (row.centre < 10.4 || row.centre > 11.6) continue;
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < mass.size(); ++i)
      if (std::abs(mass[i] - row.centre) < 0.1) sum += probability[i], count += 1;
    EXPECT_NEAR(sum / count, row.satellite_fraction, 0.01) << row.centre;
  }
  EXPECT_GE(*std::min_element(probability.begin(), probability.end()), 0);
  EXPECT_LE(*std::max_element(probability.begin(), probability.end()), 1);
  EXPECT_TRUE(satellite_probability({}, {}, um_dr1_smf()).empty());
}

TEST(MockSatellites, HostsAreFasterCentralsAndFastHostsHoldMore) {
  Halos halos;
  halos.vpeak = draw_velocities(50000, 150, 2);
  const std::vector<double> probability(halos.vpeak.size(), 0.3);
  choose_hosts(halos, probability, 2);
  double slow = 0, fast = 0, slow_hosts = 0, fast_hosts = 0;
  EXPECT_EQ(halos.host[0], -1);
  for (std::size_t i = 0; i < halos.host.size(); ++i) {
    if (halos.host[i] < 0) {
      slow_hosts += halos.vpeak[i] > 250 && halos.vpeak[i] < 300;
      fast_hosts += halos.vpeak[i] > 500 && halos.vpeak[i] < 600;
      continue;
    }
    const auto host = static_cast<std::size_t>(halos.host[i]);
    EXPECT_EQ(halos.host[host], -1);
    EXPECT_GE(halos.vpeak[host], 1.1 * halos.vpeak[i]);
    // Satellites slower than 200 km/s may have hosts of both groups.
    if (halos.vpeak[i] > 200) continue;
    slow += halos.vpeak[host] > 250 && halos.vpeak[host] < 300;
    fast += halos.vpeak[host] > 500 && halos.vpeak[host] < 600;
  }
  EXPECT_NEAR((fast / fast_hosts) / (slow / slow_hosts), 8, 1.5);  // (2 V)^3
}

TEST(MockSatellites, NfwRadiusEnclosesItsShare) {
  const auto enclosed = [](double x) { return std::log1p(x) - x / (1 + x); };
  for (double c : {2.0, 7.0, 20.0})
    for (double u : {0.0, 0.1, 0.5, 0.9, 1.0})
      EXPECT_NEAR(enclosed(c * nfw_radius(c, u)) / enclosed(c), u, 1e-9);
}

TEST(MockProperties, MassesAndRadiiHaveTheirUnits) {
  // 200 km/s: 1.5675e12 Msun, which is 1.063e12 Msun/h; its virial radius is 214 kpc/h.
  EXPECT_NEAR(median_peak_mass(200, 0.678), 1.0628e12, 1e8);
  EXPECT_NEAR(median_peak_mass(400, 0.678) / median_peak_mass(200, 0.678), std::pow(2, 1 / 0.3), 1e-9);
  const double r = virial_radius(1.0628e12, 0.307);
  EXPECT_NEAR(1.0628e12 / (4.0 / 3.0 * 3.14159265 * r * r * r) / 2.77536627e11, 102.1, 0.5);
  EXPECT_NEAR(mean_matter_density(0.307), 8.52e10, 1e8);
}

TEST(MockProperties, HistoriesAreOrdered) {
  Halos halos;
  halos.vpeak = draw_velocities(50000, 150, 3);
  choose_hosts(halos, std::vector<double>(halos.vpeak.size(), 0.3), 3);
  draw_masses(halos, Cosmology{}, 3);
  draw_histories(halos, Cosmology{}, 3);
  double early = 0, late = 0, early_count = 0, late_count = 0, log_spin = 0;
  for (std::size_t i = 0; i < halos.vpeak.size(); ++i) {
    EXPECT_LE(halos.vacc[i], halos.vpeak[i]);
    EXPECT_LE(halos.macc[i], halos.mpeak[i]);
    EXPECT_LE(halos.mvir[i], halos.macc[i]);
    EXPECT_GT(halos.mvir[i], 0);
    EXPECT_GT(halos.halfmass_scale[i], 0);
    EXPECT_LT(halos.halfmass_scale[i], 1);
    log_spin += std::log10(halos.spin[i]);
    if (halos.host[i] < 0) {
      EXPECT_EQ(halos.macc[i], halos.mvir[i]);
    } else {
      EXPECT_LT(halos.mvir[i], halos.mvir[static_cast<std::size_t>(halos.host[i])]);
    }
    const bool concentrated = halos.concentration[i] > 10;
    (concentrated ? early : late) += halos.halfmass_scale[i];
    (concentrated ? early_count : late_count) += 1;
  }
  EXPECT_LT(early / early_count, late / late_count - 0.03);  // concentrated halos formed early
  EXPECT_NEAR(log_spin / static_cast<double>(halos.spin.size()), std::log10(0.036), 0.005);
}

}  // namespace
}  // namespace umbra::mock
