// CAMELS group catalogs (Villaescusa-Navarro et al. 2021, arXiv:2010.00619; Ni et al. 2023,
// arXiv:2304.02096): one SUBFIND file groups_NNN.hdf5 (until 2024 fof_subhalo_tab_NNN.hdf5) per hydrodynamic
// simulation, each a periodic cube of 25 Mpc/h with its own parameters.
//
// The columns and their sources:
//   vpeak         SubhaloVmax: the value at the snapshot, with baryons. It is NOT the peak over the history.
//   mvir          SubhaloMass: the mass bound to the subhalo (all matter), not a spherical overdensity.
//   stellar_mass  column 4 of SubhaloMassType, divided by h: Msun
//   upid          -1 for the first subhalo of its group (the central), else the id of that first subhalo
//   vdisp         SubhaloVelDisp: of all particles, along one axis
//   rmax          SubhaloVmaxRad: where the circular velocity is SubhaloVmax
//   angular_momentum  length of SubhaloSpin, the specific angular momentum
//   spin          left out: it needs a virial radius and velocity, which the subhalo tables do not have
// All include baryons. The last three columns are read where all files have them. Ids count the subhalos of all files in order, so that they are unique over the cubes. Subhalos without a
// circular velocity (fragments SUBFIND could not measure) are skipped and counted.
#pragma once

#include <filesystem>
#include <optional>

#include "data/catalogs/formats.h"

namespace umbra {

/// The options of read_camels().
struct CamelsOptions {
  /// The table CosmoAstroSeed_….txt of the set.
  std::optional<std::filesystem::path> parameters = std::nullopt;
  std::optional<std::int64_t> snapshot = std::nullopt;  ///< needed where a folder has several
  ImportOptions rows = {};                              ///< for the rows
};

/// Reads the group catalogs below `folder` (camels_files.h), in natural order of their paths (SB7_2 before
/// SB7_10); each is one cube. The columns of the table of parameters become Catalog::box_parameters; the
/// attribute sigma_8 is the mean of its column, or CAMELS' fiducial 0.8 without a table. Where h differs
/// from cube to cube it becomes a parameter, too, and the attribute is its mean. BoxSize may be in kpc/h or
/// Mpc/h. Throws Error with the file when one is damaged, not a SUBFIND catalog or from another set.
Catalog read_camels(const std::filesystem::path& folder, const CamelsOptions& options = {},
                    ImportReport* report = nullptr);

}  // namespace umbra
