// The settings of the SMF task: how a catalog is cut into sub-boxes, and how inputs and labels are scaled.
#pragma once

#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/base/setting.h"

namespace umbra {

/// The settings of the SMF task; bind() gives their keys.
struct SmfSettings {
  BoxOptions boxes;                      ///< the cutting; the next four replace its own
  std::string input = "voxels";          ///< "voxels" or "halos"
  Auto<double> subbox_size;              ///< side of a sub-box, Mpc/h; auto: see choose_subbox_size()
  std::int64_t voxels = 25,              ///< grid points per side of a sub-box
      smf_bins = 14;                     ///< number of mass bins
  double train_fraction = 0.8;           ///< the share of sub-boxes used for training
  std::int64_t split_seed = 1;           ///< of the random split
  std::int64_t folds = 0;                ///< of a cross-validation; 0: one split by train_fraction
  std::int64_t fold = 0;                 ///< the fold to validate on
  std::int64_t inner_folds = 0;          ///< of its training boxes; 0: none
  std::int64_t inner_fold = 0;           ///< the inner fold to validate on
  std::vector<double> validation_boxes;  ///< sub-boxes to validate on, by number; empty: a random split
  std::string input_scaling =
      "rms";  ///< "rms" (of the occupied training voxels; lists: standardised) or "none"
  std::string label_scaling = "standard";  ///< "standard" (mean 0, deviation 1 per bin) or "none"
  bool symmetries = true;                  ///< augment with the 48 symmetries of the cube
  bool shifts = true;                      ///< augment with random periodic shifts

  std::string loss = "chi2_linear";  ///< "chi2_linear", "chi2_log", "poisson" or "mse"
  std::string link =
      "identity";      ///< what the scaled output of the network is: phi ("identity") or log phi ("log")
  double poisson = 0;  ///< weight of the Poisson likelihood that is added to a chi2 loss
  double log_floor_galaxies = 0.5;  ///< chi2_log: the floor of phi, in galaxies per sub-box and bin
  double halos_weight = 2;  ///< of the likelihood of the halos' own galaxies; used with lists of halos

  /// All settings, bound to this object.
  std::vector<Setting> bind();
  /// Whether samples are lists of halos.
  bool lists() const { return input == "halos"; }
  /// `boxes` with the values of `input`, `subbox_size` (auto: 25), `voxels` and `smf_bins`.
  BoxOptions box_options() const;
  /// The settings that divide the sub-boxes. Throws Error when a number in validation_boxes is not whole.
  SplitRule split_rule() const;
  /// Which of `count` sub-boxes, `per_cube` of each cube, are trained on and which validate. Throws Error when either
  /// side would be empty or a listed box does not exist.
  SampleSplit split(std::int64_t count, std::int64_t per_cube) const;
  /// Throws Error when settings contradict one another.
  void check() const;
  /// Of box_options().
  double galaxies_per_phi() const;
  /// The floor of chi2_log, log_floor_galaxies per sub-box and bin, in the unit of phi.
  double log_floor() const;

 private:
  std::vector<Setting> bind_loss();
  void check_loss() const;
};

}  // namespace umbra
