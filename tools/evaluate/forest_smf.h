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
  /// Halos counted in the bin of their predicted mass, each as P(it has a galaxy) galaxies, without the
  /// scatter of masses at fixed halo properties.
  std::vector<double> per_halo;
  /// The procedure of the authors' script: predicted log masses are averaged within every voxel (1 Mpc/h by
  /// default), and voxels that contain a halo, with or without a galaxy, are counted as if they were galaxies.
  std::vector<double> cell_mean;
  /// The sum over halos of P(it has a galaxy, with M* in the bin), from the training halos in the leaves.
  std::vector<double> distributional;
};

/// For the sub-boxes `wanted`, indices into `boxes`, which make_boxes() cut from `catalog`. All their halos
/// above the forest's cut in vpeak are predicted: the forest cannot know which have a galaxy. P(a halo has a
/// galaxy) is given by the halos of the training sub-boxes; those without a galaxy, on which no tree was grown,
/// go down the trees. The leaves are filled again from the catalog, so the model file does not repeat the
/// catalog's data and bins can be chosen afterwards. Throws an Error that names `where`, the model, unless the
/// forest was fitted on this catalog, cut into these sub-boxes, and on no halo of the wanted ones.
ForestSmf forest_smf(const ForestModel& model, const std::string& where, const Catalog& catalog,
                     const BoxSet& boxes, const std::vector<std::int64_t>& wanted);

}  // namespace umbra
