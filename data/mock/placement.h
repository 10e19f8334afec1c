// Places central halos on particles of the displaced field, as in HALOGEN (Avila et al. 2015).
//
// Fastest first, each halo chooses a cell with probability ~ rho^a(V), then a particle in it. It must not
// lie inside the virial radius of a halo placed before, and its mass is subtracted from the cell: the halos
// of a cell cannot exceed its matter. The exception is a halo heavier than any cell, whose matter 2LPT
// leaves spread over the cells around: it closes its own cell only. (Subtracting from the neighbours as
// well was tried; it pushes halos apart on 3-10 Mpc/h and loses half of the variance in cells of 6 Mpc/h.)
// Each halo depends on all before it, so this loop runs on one thread; its draws are keyed by the halo's
// row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/mock/density.h"
#include "engine/base/stage.h"

namespace umbra::mock {

/// The bias of the placement. a(V) = at_150 + slope log10(V / 150 km/s), never below `lowest`.
///
/// Calibrated on boxes of 250 Mpc/h against two measurements. `slope`: the variance of isolated galaxies of
/// log10 M* 11.08-11.75 in cells of 25 Mpc/h, less shot noise, is 0.251 in UniverseMachine on
/// Bolshoi-Planck (O'Donnell et al. 2021); slopes of 0.7, 0.9, 0.98, 1.05 give 0.196, 0.225, 0.247, 0.261
/// (means of 8 to 12 seeds; the scatter of one box is 0.020, and one of 500 Mpc/h has 0.250). `at_150`:
/// centrals of 150-195 km/s should have b^2 times the linear variance of such a cell, 0.133 with b = 0.74
/// (Tinker et al. 2010); they have 0.130. At 300-390 and 550-715 km/s they have 0.27 and 0.53; the expected
/// values are 0.22 and 0.48. In cells of 50 Mpc/h the isolated galaxies have 0.077 for a target of 0.072,
/// in cells of 12.5 Mpc/h 0.63 for 0.73.
struct PlacementBias {
  double at_150 = 0.8;  ///< a(150 km/s)
  double slope = 0.98;  ///< per decade of V
  double lowest = 0.5;  ///< lower limit of a

  /// a(V); V in km/s.
  double exponent(double velocity) const;
};

/// The halos to place, fastest first.
struct CentralHalos {
  std::span<const double> velocity;   ///< km/s, descending
  std::span<const double> mass;       ///< Msun/h
  std::span<const double> radius;     ///< virial, Mpc/h
  std::span<const std::int64_t> row;  ///< key of the random draws
};

/// The result of place_centrals().
struct Placement {
  std::vector<Position> position;  ///< [centrals]
  std::int64_t crowded = 0;        ///< halos that overlap another because no free place was found
};

/// Places the halos. `density`: cloud_in_cell() on the cells of `cells`; `mean_matter_density` in Msun/h
/// per (Mpc/h)^3.
Placement place_centrals(const Particles& particles, const CellList& cells, std::span<const float> density,
                         const CentralHalos& halos, double mean_matter_density, const PlacementBias& bias,
                         std::uint64_t seed, const StageReport& progress = {});

}  // namespace umbra::mock
