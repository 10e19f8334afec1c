// The scaling of inputs and outputs of the SMF task: inputs are multiplied by input_scale, the output of the
// network is multiplied by label_scale, plus label_shift, and is then phi or, with loss.link=log, the natural
// logarithm of phi; sigma gives the chi^2 of phi. Where inputs are lists of halos, input_shift is subtracted
// first, and the result is cut at kListCut.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/tasks/smf/settings.h"
#include "models/tasks/task.h"

namespace umbra {

/// Numbers fitted on the training split. They belong to the network; its checkpoints store them.
struct Transform {
  std::vector<double> input_scale;      ///< [features]
  std::vector<double> label_scale;      ///< [bins]
  std::vector<double> label_shift;      ///< [bins]
  std::vector<double> sigma;            ///< [bins], in the unit of phi
  std::vector<double> sigma_dex;        ///< [bins], sigma / (phi ln 10) with the observed phi; for chi2_log
  std::vector<double> references = {};  ///< BoxOptions::references
  /// [parameters], subtracted; of lists also log10(1 + number of halos)
  std::vector<double> parameter_shift = {};
  std::vector<double> parameter_scale = {};  ///< multiplied by afterwards
  std::vector<double> input_shift = {};      ///< [features] of lists, subtracted
  std::vector<double> longest_list = {};     ///< of lists: the most halos of a sub-box of the catalog
  std::vector<double> background =
      {};  ///< [bins] of lists: log of the mean number of galaxies of no listed halo
};
/// The largest absolute value of a scaled feature of a halo.
inline constexpr float kListCut = 6;

/// Fits all numbers on the training boxes. Throws Error when the catalog has no stellar masses or a mass
/// bin lies outside the observed table.
Transform fit_transform(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                        const SmfSettings& settings);
/// Numbers that scale by 1, with reference relations that are 0.
Transform neutral_transform(const SmfSettings& settings);
/// The options of a run: its settings, and the reference relations among its fitted numbers. Throws Error, which
/// begins with `where`, as from_map() does.
BoxOptions box_options_of_run(const SmfSettings& settings, const Fitted& fitted, const std::string& where);
/// The numbers by name, as checkpoints store them.
Fitted to_map(const Transform& transform);
/// The inverse of to_map(). Throws Error, which begins with `where`, when a vector is missing, has the
/// wrong length or holds a number that is not finite.
Transform from_map(const Fitted& fitted, const SmfSettings& settings, const std::string& where);

/// Scales the features of every box and standardises its parameters.
void scale_inputs(BoxSet& boxes, const Transform& transform);

}  // namespace umbra
