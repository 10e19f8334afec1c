// The stellar mass function of sub-boxes from a forest, which predicts single halos, computed in three ways.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "tools/common/forest_file.h"

namespace umbra {

/// [wanted, bins] each, row by row, in boxes.smf_unit.
struct ForestSmf {
  /// Halos counted in the bin of their predicted mass, without the scatter of masses at fixed halo
  /// properties.
  std::vector<double> per_halo;
  /// The procedure of the authors' script: predicted log masses are averaged within every voxel (1 Mpc/h by
  /// default), and voxels that contain a halo are counted as if they were galaxies.
  std::vector<double> cell_mean;
  /// The sum over halos of P(M* in bin | halo), from the masses of the training galaxies in the leaves.
  std::vector<double> distributional;
};

/// For the sub-boxes `wanted`, indices into `boxes`, which make_boxes() cut from `catalog`. All halos above
/// the forest's cut in vpeak count, with or without a galaxy. The leaves are filled again from the training
/// rows of the catalog, so the model file does not repeat the catalog's data and bins can be chosen
/// afterwards. Throws an Error that names `where`, the model, unless the forest was fitted on this catalog,
/// cut into these sub-boxes, and on no halo of the wanted ones.
ForestSmf forest_smf(const ForestModel& model, const std::string& where, const Catalog& catalog,
                     const BoxSet& boxes, const std::vector<std::int64_t>& wanted);

}  // namespace umbra
