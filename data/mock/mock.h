// A mock universe at z = 0: one periodic cube of halos and galaxies that anyone can generate, with the
// Bolshoi-Planck cosmology and the statistics of UniverseMachine DR1. The steps, each in its own file:
//
//   power_spectrum -> gaussian_field -> lpt -> density                          the matter
//   velocity_function -> abundance_matching -> satellites -> halo_properties    the halos
//   placement -> satellites                                                     the halos in the matter
//
// Every result is a function of the options alone, bit-identical for any number of threads.
#pragma once

#include <cstdint>

#include "data/catalogs/catalog.h"
#include "data/mock/placement.h"
#include "engine/base/stage.h"

/// The mock universe: a periodic cube of halos and galaxies at z = 0.
namespace umbra::mock {

/// The options of make().
struct Options {
  double box_size = 250;   ///< Mpc/h, 25 to 1000
  double min_vpeak = 150;  ///< km/s, 20 to 1000
  std::uint64_t seed = 1;  ///< of all random draws
  PlacementBias bias;      ///< calibrated, see PlacementBias
};

/// A mock catalog and statistics of its making.
struct Mock {
  Catalog catalog;           ///< sorted by descending vpeak; id = row; upid = id of the host
  int lattice = 0;           ///< particles per side
  int cells = 0;             ///< placement cells per side
  double matter_sigma = 0;   ///< r.m.s. overdensity in the placement cells
  std::int64_t crowded = 0;  ///< centrals that overlap another for lack of a free place
};

/// Makes a mock. Throws Error when an option is out of range or the box would have fewer than 10 or more
/// than 2e7 halos.
Mock make(const Options& options, const StageReport& progress = {});

}  // namespace umbra::mock
