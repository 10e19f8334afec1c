// The settings of the dataset task: how the inputs and targets of a file are scaled, held and split.
#pragma once

#include <string>
#include <vector>

#include "engine/base/setting.h"

namespace umbra {

struct DatasetSettings {
  std::string input_scaling = "standard";
  std::string target_scaling = "standard";
  std::string resident = "auto";
  bool flips = false;
  double label_smoothing = 0;
  double validation_fraction = 0.2;
  std::int64_t split_seed = 1;

  /// All of them, bound to this object.
  std::vector<Setting> bind();
};

}  // namespace umbra
