// The settings of the dataset task: how the inputs and targets of a file are scaled, held and split.
#pragma once

#include <string>
#include <vector>

#include "engine/base/setting.h"

namespace umbra {

/// The settings of the dataset task; bind() gives their keys.
struct DatasetSettings {
  std::string input_scaling = "standard";   ///< "standard" (mean 0, deviation 1 per channel) or "none"
  std::string target_scaling = "standard";  ///< of values: "standard" (mean 0, deviation 1) or "none"
  std::string resident = "auto";     ///< inputs in memory: "on", "off", or "auto": on below 1/4 of the memory
  bool flips = false;                ///< flip training images left to right at random
  double label_smoothing = 0;        ///< the share of a label that is spread evenly over all classes
  double validation_fraction = 0.2;  ///< the share of samples held out where the file has no /split
  std::int64_t split_seed = 1;       ///< of the random split where the file has no /split

  /// All settings, bound to this object.
  std::vector<Setting> bind();
};

}  // namespace umbra
