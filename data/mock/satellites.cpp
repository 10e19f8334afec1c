#include "data/mock/satellites.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

constexpr double kHostRatio = 1.1;      // V_host / V_satellite, at least
constexpr double kHostExponent = 3.0;   // satellites per host ~ V_host to this power
constexpr double kVelocityBin = 0.025;  // dex
constexpr double kMassBin = 0.2;        // dex, as in the table
constexpr double kLargestShare = 0.95;

enum Draw : std::uint64_t { kIsSatellite, kWhichHost, kRadius, kDirection };

double enclosed(double x) {
  return std::log1p(x) - x / (1 + x);
}

}  // namespace

std::vector<double> satellite_probability(std::span<const double> velocity, std::span<const double> log_mass,
                                          std::span<const SmfRow> rows) {
  const std::size_t halos = velocity.size(), masses = rows.size();
  if (halos == 0) return {};
  const double slowest = velocity.back();
  const auto velocity_bin = [&](std::size_t i) {
    return static_cast<std::size_t>(std::log10(velocity[i] / slowest) / kVelocityBin);
  };
  const auto mass_bin = [&](std::size_t i) {
    const double bin = std::floor((log_mass[i] - rows[0].centre) / kMassBin + 0.5);
    return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(masses - 1)));
  };
  const std::size_t velocities = velocity_bin(0) + 1;
  std::vector<double> joint(velocities * masses);  // halos by velocity and mass
  for (std::size_t i = 0; i < halos; ++i) joint[velocity_bin(i) * masses + mass_bin(i)] += 1;

  // f(V) <- f(V) <target(m) / predicted(m)>_V: the update of Richardson (1972) and Lucy (1974).
  std::vector<double> share(velocities, 0.3);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> all(masses), satellites(masses);
    for (std::size_t v = 0; v < velocities; ++v)
      for (std::size_t m = 0; m < masses; ++m) {
        all[m] += joint[v * masses + m];
        satellites[m] += share[v] * joint[v * masses + m];
      }
    for (std::size_t v = 0; v < velocities; ++v) {
      double sum = 0, weight = 0;
      for (std::size_t m = 0; m < masses; ++m) {
        const double count = joint[v * masses + m];
        if (count == 0 || satellites[m] <= 0) continue;
        sum += count * rows[m].satellite_fraction * all[m] / satellites[m];
        weight += count;
      }
      if (weight > 0) share[v] = std::min(kLargestShare, share[v] * sum / weight);
    }
  }
  std::vector<double> probability(halos);
  for (std::size_t i = 0; i < halos; ++i) probability[i] = share[velocity_bin(i)];
  return probability;
}

void choose_hosts(Halos& halos, std::span<const double> probability, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kMockSatellite);
  halos.host.assign(halos.vpeak.size(), -1);
  std::vector<std::int64_t> centrals;
  std::vector<double> velocity, cumulative;  // of the centrals so far, fastest first
  double sum = 0;
  for (std::int64_t row = 0; row < halos.count(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    const auto index = static_cast<std::uint64_t>(row);
    if (rng.stream(kIsSatellite).uniform(index) < probability[i]) {
      const auto hosts = std::partition_point(velocity.begin(), velocity.end(),
                                              [&](double v) { return v >= kHostRatio * halos.vpeak[i]; }) -
                         velocity.begin();
      if (hosts > 0) {
        const double chosen =
            rng.stream(kWhichHost).uniform(index) * cumulative[static_cast<std::size_t>(hosts - 1)];
        const auto host = std::upper_bound(cumulative.begin(), cumulative.begin() + hosts, chosen);
        halos.host[i] = centrals[static_cast<std::size_t>(std::min(host - cumulative.begin(), hosts - 1))];
        continue;
      }
    }
    centrals.push_back(row);
    velocity.push_back(halos.vpeak[i]);
    cumulative.push_back(sum += std::pow(halos.vpeak[i], kHostExponent));
  }
}

double nfw_radius(double concentration, double u) {
  // Bisection: the enclosed mass is monotonic, and 45 halvings give the full precision.
  const double target = u * enclosed(concentration);
  double low = 0, high = concentration;
  for (int i = 0; i < 45; ++i) {
    const double middle = (low + high) / 2;
    (enclosed(middle) < target ? low : high) = middle;
  }
  return (low + high) / 2 / concentration;
}

void place_satellites(Halos& halos, double box_size, double omega_m, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kMockSatellite);
  parallel_chunks(halos.count(), 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto i = static_cast<std::size_t>(row);
      if (halos.host[i] < 0) continue;
      const auto host = static_cast<std::size_t>(halos.host[i]);
      const auto index = static_cast<std::uint64_t>(row);
      const double radius = virial_radius(halos.mvir[host], omega_m) *
                            nfw_radius(halos.concentration[host], rng.stream(kRadius).uniform(index));
      const double cosine = 2 * rng.stream(kDirection).uniform(2 * index) - 1;
      const double angle = 2 * std::numbers::pi * rng.stream(kDirection).uniform(2 * index + 1);
      const double flat = radius * std::sqrt(1 - cosine * cosine);
      const Position offset = {flat * std::cos(angle), flat * std::sin(angle), radius * cosine};
      for (std::size_t axis = 0; axis < 3; ++axis)
        halos.position[i][axis] = wrap(halos.position[host][axis] + offset[axis], box_size);
    }
  });
}

}  // namespace umbra::mock
