// The stellar mass function of sub-boxes from a forest, which knows single halos only, three ways.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "tools/common/forest_file.h"

namespace umbra {

/// [wanted, bins] each, row by row, in boxes.smf_unit.
struct ForestSmf {
  /// Halos counted in the bin of their predicted mass: without the scatter of masses at given halo.
  std::vector<double> per_halo;
  /// The procedure of the authors' script: predicted log masses are averaged within every voxel (1 Mpc/h by
  /// default), and voxels that hold a halo are counted as if they were galaxies.
  std::vector<double> cell_mean;
  /// The sum over halos of P(M* in bin | halo), from the masses of the training galaxies in the leaves.
  std::vector<double> distributional;
};

/// Of the sub-boxes `wanted`, indices into `boxes`, which make_boxes() cut from `catalog`. All halos above
/// the forest's cut in vpeak count, with or without a galaxy. The leaves are filled again from the training
/// rows of the catalog: a model file need not hold what the catalog does, and bins may be chosen afterwards.
/// Throws Error naming `where`, the model, unless the forest was fitted on this catalog, cut into these
/// sub-boxes, and on no halo of those wanted.
ForestSmf forest_smf(const ForestModel& model, const std::string& where, const Catalog& catalog,
                     const BoxSet& boxes, const std::vector<std::int64_t>& wanted);

}  // namespace umbra
