#include "data/mock/velocity_function.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

constexpr double kAmplitude = 5.112e4;  // (h/Mpc)^3 (km/s)^3
constexpr double kCutoff = 1000.0;      // km/s
constexpr double kSharpness = 2.15;

}  // namespace

double cumulative_density(double velocity) {
  return kAmplitude / (velocity * velocity * velocity) * std::exp(-std::pow(velocity / kCutoff, kSharpness));
}

double velocity_at_density(double density) {
  // Newton's method for y = ln V. ln n(y) is concave, and the power law alone gives a start at or above the
  // root, so the steps approach the root from one side.
  const double target = std::log(density / kAmplitude);
  double y = -target / 3;
  for (int i = 0; i < 60; ++i) {
    const double bend = std::exp(kSharpness * (y - std::log(kCutoff)));
    const double step = (-3 * y - bend - target) / (-3 - kSharpness * bend);
    y -= step;
    if (std::abs(step) < 1e-13) break;
  }
  return std::exp(y);
}

std::vector<double> draw_velocities(std::int64_t count, double minimum, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kMockVelocity);
  const double total = cumulative_density(minimum);
  std::vector<double> velocities(static_cast<std::size_t>(count));
  parallel_chunks(count, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double share = 1 - rng.uniform(static_cast<std::uint64_t>(i));  // in (0, 1]
      velocities[static_cast<std::size_t>(i)] = std::max(minimum, velocity_at_density(total * share));
    }
  });
  std::sort(velocities.begin(), velocities.end(), std::greater<>());
  return velocities;
}

}  // namespace umbra::mock
