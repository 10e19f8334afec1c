// The settings of the SMF task: how a catalog is cut into sub-boxes, what of them is seen and learnt.
#pragma once

#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/base/setting.h"

namespace umbra {

struct SmfSettings {
  BoxOptions boxes;
  std::int64_t voxels = 25, smf_bins = 14;  // copied into `boxes` by box_options()
  double train_fraction = 0.8;
  std::int64_t split_seed = 1;
  std::vector<double> validation_boxes;
  std::string input_scaling = "rms";
  std::string label_scaling = "standard";
  bool symmetries = true;
  bool shifts = true;

  std::string loss = "chi2_linear";
  double log_floor_galaxies = 0.5;

  /// All of them, bound to this object.
  std::vector<Setting> bind();
  /// The cutting of a catalog into sub-boxes.
  BoxOptions box_options() const;
  /// Which of `count` sub-boxes are trained on and which validate. Throws Error when either side would be
  /// empty or a listed box does not exist.
  Split split(std::int64_t count) const;
  /// Throws Error when settings contradict one another.
  void check() const;
  /// phi floor of chi2_log: so many galaxies per sub-box and bin, in the unit of phi.
  double log_floor() const;
};

}  // namespace umbra
