// A mock universe at z = 0: one periodic cube of halos and galaxies that anyone can generate, with the
// Bolshoi-Planck cosmology and the statistics of UniverseMachine DR1. The steps, each in its own file:
//
//   power_spectrum -> gaussian_field -> lpt -> density                          the matter
//   velocity_function -> abundance_matching -> satellites -> halo_properties    the halos
//   placement -> satellites                                                     the halos in the matter
//
// Every result is a function of the options alone: same bits for any number of threads.
#pragma once

#include <cstdint>

#include "data/catalogs/catalog.h"
#include "data/mock/placement.h"

namespace umbra::mock {

struct Options {
  double box_size = 250;   // Mpc/h, 25 to 1000
  double min_vpeak = 150;  // km/s, 20 to 1000
  std::uint64_t seed = 1;
  PlacementBias bias;  // calibrated; see placement.h
};

struct Mock {
  Catalog catalog;           // sorted by falling vpeak; id = row; upid = id of the host
  int lattice = 0;           // particles per side
  int cells = 0;             // placement cells per side
  double matter_sigma = 0;   // r.m.s. overdensity in the placement cells
  std::int64_t crowded = 0;  // centrals that found no free place
};

/// Throws Error when the options are impossible or ask for more than 2e7 halos.
Mock make(const Options& options);

}  // namespace umbra::mock
