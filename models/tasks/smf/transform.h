// The scalings around a network: phi = z * label_scale + label_shift of what it puts out, its inputs times
// input_scale, and the errors that make a chi^2 of phi.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/tasks/smf/settings.h"
#include "models/tasks/task.h"

namespace umbra {

/// Numbers fitted on the training split; they belong to the network and travel in its checkpoints.
struct Transform {
  std::vector<double> input_scale;  // [features]
  std::vector<double> label_scale;  // [bins]
  std::vector<double> label_shift;  // [bins]
  std::vector<double> sigma;        // [bins], in the unit of phi
  std::vector<double> sigma_dex;    // [bins], sigma / (phi ln 10) with the observed phi; for chi2_log
};
Transform fit_transform(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                        const SmfSettings& settings);
Fitted to_map(const Transform& transform);
/// Throws Error naming `where` when a vector is missing or has the wrong length.
Transform from_map(const Fitted& fitted, const SmfSettings& settings, const std::string& where);

/// Multiplies the inputs of every box by the scale of their feature.
void scale_inputs(BoxSet& boxes, const Transform& transform);

}  // namespace umbra
