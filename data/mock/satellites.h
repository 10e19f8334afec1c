// Chooses the satellites, their hosts and their positions.
//
// The fraction of satellites per bin of stellar mass is that of UniverseMachine (Behroozi et al. 2019,
// DR1). It is a function f(V) of Vpeak alone, solved for so that the scattered stellar masses reproduce the
// target, because at fixed Vpeak a satellite of this mock must not differ in stellar mass from a central.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/mock/halo_properties.h"
#include "data/observations/um_dr1.h"

namespace umbra::mock {

/// The probability of being a satellite for every halo. `velocity` descends; `log_mass` is log10 M*/Msun.
std::vector<double> satellite_probability(std::span<const double> velocity, std::span<const double> log_mass,
                                          std::span<const SmfRow> rows);

/// Fills halos.host. A host is a central at least 1.1 times faster than its satellite; the expected number
/// of satellites grows as V_host^3, because the subhalo velocity function depends on V / V_host alone and
/// falls as its third power (Klypin et al. 2011). A halo without such a host stays central.
void choose_hosts(Halos& halos, std::span<const double> probability, std::uint64_t seed);

/// Places satellites around their hosts: Navarro, Frenk & White 1997, isotropic, out to the virial radius
/// of the host's present mass. Fills the satellites' rows of halos.position; needs the positions of the
/// centrals and the results of draw_histories(). `box_size` in Mpc/h.
void place_satellites(Halos& halos, double box_size, double omega_m, std::uint64_t seed);

/// The radius, in units of the virial radius, that encloses the share `u` in [0, 1] of an NFW halo.
double nfw_radius(double concentration, double u);

}  // namespace umbra::mock
