// chi^2 of predicted mass functions on validation boxes, in both conventions (docs/chi2.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "models/tasks/smf/transform.h"
#include "tools/common/statistics.h"

namespace umbra {

struct Scorer {
  const BoxSet& boxes;
  std::vector<std::int64_t> wanted;  // indices into boxes
  Transform transform;
  double floor;  // SmfSettings::log_floor()

  /// phi of a wanted box.
  double truth(std::size_t row, std::size_t bin) const;
  /// Scores phi [wanted, bins]: both chi^2, also of every box (`of_box`), the mean mass function with its scatter over boxes, and the scatter
  /// over boxes of phi minus the truth.
  nlohmann::ordered_json score(const std::string& name, const std::vector<double>& phi) const;
};

}  // namespace umbra
