// The number density of (sub)halos with a peak circular velocity above V: a fit made for this project by
// matching the number of UniverseMachine DR1 galaxies above a stellar mass (Behroozi et al. 2019) to the
// peak velocity of their halos,
//
//   n(>V) = 5.112e4 V^-3 exp[-(V / 1000 km/s)^2.15]  (h/Mpc)^3,   V in km/s, centrals and satellites,
//
// good to 7 % over 100-900 km/s. Below it continues as V^-3, the slope of cold-dark-matter halos (Klypin et
// al. 2011).
#pragma once

#include <cstdint>
#include <vector>

namespace umbra::mock {

/// n(>V) in (h/Mpc)^3; V > 0 in km/s.
double cumulative_density(double velocity);
/// The V in km/s above which there are `density` (h/Mpc)^3, density > 0; the inverse of cumulative_density.
double velocity_at_density(double density);
/// `count` independent velocities above `minimum` km/s, largest first.
std::vector<double> draw_velocities(std::int64_t count, double minimum, std::uint64_t seed);

}  // namespace umbra::mock
