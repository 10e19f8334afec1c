// The mass functions of all sub-boxes of a catalog file, group by group: memory contains one group's inputs
// and the results of all groups.
#pragma once

#include <string>
#include <vector>

#include "data/boxes/box_stream.h"
#include "tools/common/ensemble.h"

namespace umbra {

struct Predictions {
  BoxSet boxes;                     // all sub-boxes of the catalog, without inputs, galaxies and halos
  std::vector<float> phi;           // [count, bins], in boxes.smf_unit; of an ensemble, the mean
  std::vector<float> scatter;       // [count, bins]: over the members of an ensemble; empty for one network
  std::vector<double> fingerprint;  // of the catalog as cut
};

/// Runs the networks on every remaining group of `stream`. Throws an Error that names `where` if a prediction
/// is not finite.
Predictions predict_stream(BoxStream& stream, const Networks& networks, const std::string& where,
                           const StageReport& progress = {});

}  // namespace umbra
