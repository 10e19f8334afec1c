// What can be reached at best with limited knowledge of a sub-box: expectations of phi, estimated from the training
// boxes. A model whose galaxies depend on nothing else cannot score better than the expectation, except by chance.
#pragma once

#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/base/stage.h"
#include "models/tasks/smf/local_regression.h"

namespace umbra {

inline constexpr const char* kHaloOracleName =
    "oracle, vpeak of every halo";  ///< of E[phi | vpeak of every halo]
inline constexpr const char* kVoxelOracleName = "oracle, voxels of vpeak";  ///< of E[phi | voxels of vpeak]

/// An estimated expectation of phi.
struct Oracle {
  std::string name;                 ///< kHaloOracleName or kVoxelOracleName
  std::vector<double> predictions;  ///< phi, [wanted, bins]
  Bandwidth bandwidth;              ///< of log10 vpeak, chosen by cross-validation on the training boxes
  /// By how much the chi^2 of the estimate exceeds that of the expectation itself, because it is estimated: the sum over
  /// bins of Var(phi) / sigma^2, mean over boxes, with the jackknife variance of ten groups of training boxes (ten
  /// times all but one). The smoothing adds a bias that this does not contain.
  double excess = 0;
  double seconds = 0;  ///< to choose, fit and predict
};

/// Of the sub-boxes `wanted` of `boxes`, which make_boxes() cut from `catalog`, estimated from those of `train`:
///
///     E[phi | vpeak of every halo] = 1/V sum over halos P(galaxy in the bin | vpeak)
///
/// over all halos of the catalog, those below min_vpeak, too; and, for the voxels of boxes.options,
///
///     E[phi | voxels of vpeak] = 1/V (sum over occupied voxels E[galaxies in the bin | mean vpeak of the voxel] + rest)
///
/// with the mean number `rest` of galaxies of a training box in voxels without a halo above min_vpeak. Both by
/// LocalRegression in log10 vpeak. The second ignores what the voxels around one say about its halos, so it is an upper
/// bound of the floor. Throws Error with fewer than kFewestForRidge training boxes.
std::vector<Oracle> oracles(const Catalog& catalog, const BoxSet& boxes,
                            const std::vector<std::int64_t>& train, const std::vector<std::int64_t>& wanted,
                            const StageReport& progress = {});

}  // namespace umbra
