// The properties of a halo of given peak velocity: mass, radius, concentration, formation, spin, and the
// mass loss of satellites. Medians are published relations; one latent number per halo correlates the
// scatter: at fixed Vpeak, a more concentrated halo is lighter and formed earlier (Wechsler et al. 2002).
//
//   Mpeak:  V = 200 km/s (Mpeak / M200)^0.3, M200 = 1.5675e12 Msun at z = 0   (Behroozi et al. 2019, eq. E2)
//   c_200c: log10 c = 0.905 - 0.101 log10(M / 1e12 Msun/h), 0.11 dex           (Dutton & Maccio 2014)
//   z_1/2:  1.26 - 0.24 log10(M / 1e12 Msun), 0.1 in a                         (McBride, Fakhouri & Ma 2009)
//   spin:   log-normal, median 0.036, 0.25 dex
//   R_vir:  overdensity of Bryan & Norman 1998
#pragma once

#include <cstdint>
#include <vector>

#include "data/catalogs/catalog.h"
#include "data/mock/density.h"

namespace umbra::mock {

/// One row per halo, fastest first: row i is the i-th largest vpeak of the box.
struct Halos {
  std::vector<double> vpeak;           ///< km/s
  std::vector<double> stellar_mass;    ///< Msun
  std::vector<std::int64_t> host;      ///< row of the host, -1 for a central
  std::vector<double> mpeak;           ///< Msun/h
  std::vector<double> concentration;   ///< c_vir at its peak
  std::vector<Position> position;      ///< Mpc/h
  std::vector<double> vacc;            ///< km/s
  std::vector<double> macc,            ///< Msun/h
      mvir;                            ///< Msun/h
  std::vector<double> halfmass_scale;  ///< a
  std::vector<double> spin;            ///< dimensionless

  /// The number of halos.
  std::int64_t count() const { return static_cast<std::int64_t>(vpeak.size()); }
};

/// Median Mpeak in Msun/h of halos with this Vpeak in km/s.
double median_peak_mass(double velocity, double h);
/// Comoving virial radius at z = 0 in Mpc/h of `mass` Msun/h.
double virial_radius(double mass, double omega_m);
/// Mean comoving matter density, Msun/h per (Mpc/h)^3.
double mean_matter_density(double omega_m);

/// Fills mpeak and concentration from vpeak.
void draw_masses(Halos& halos, const Cosmology& cosmology, std::uint64_t seed);
/// Fills vacc, macc, mvir, halfmass_scale and spin from the other columns. Guarantees vacc <= vpeak, macc <=
/// mpeak, mvir <= macc, mvir below the host's for satellites; for centrals macc = mvir and vacc is Vmax
/// today.
void draw_histories(Halos& halos, const Cosmology& cosmology, std::uint64_t seed);

}  // namespace umbra::mock
