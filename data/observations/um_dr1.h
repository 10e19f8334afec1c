// The stellar mass function of UniverseMachine DR1 at z = 0 (scale factor 1.002310): Behroozi, Wechsler,
// Hearin & Conroy (2019), MNRAS 488, 3143, from the public data release. Masses are "observed" ones (with the
// model's errors) for a Chabrier initial mass function; the model's cosmology is flat with Omega_m 0.307 and
// h 0.678.
#pragma once

#include <span>

namespace umbra {

/// A bin of the stellar mass function.
struct SmfRow {
  double centre;              ///< log10 M*/Msun; bins are 0.2 dex wide
  double phi;                 ///< comoving Mpc^-3 dex^-1, no h
  double satellite_fraction;  ///< of the galaxies in the bin, 0 to 1
};

/// 30 rows in ascending mass, 7.3 to 13.1; phi is 0 from 12.7 on, where the simulation has no galaxy.
std::span<const SmfRow> um_dr1_smf();

}  // namespace umbra
