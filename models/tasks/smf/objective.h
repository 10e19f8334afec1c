// The objective of the SMF task: the function from the output of a network to the mass function phi, the loss
// that is minimised, and the metric. Each is a function of its own; a loss may be a sum of terms.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/train/train_step.h"
#include "models/tasks/smf/settings.h"
#include "models/tasks/smf/transform.h"

namespace umbra {

/// From the input [N, …] of a batch to phi [N, bins].
using SmfPrediction = std::function<Var(Pass&, const Var& input)>;
/// From phi and its target, both [N, bins], to a loss with one element.
using SmfLoss = std::function<Var(Pass&, const Var& phi, const Tensor& target)>;

/// Sum over the boxes of ((phi - target) / sigma)^2, in double: phi and target [boxes x bins], sigma [bins].
double chi2_sum(std::span<const double> phi, std::span<const double> target,
                const std::vector<double>& sigma);

/// The prediction of `network`, which must outlive the result: with z = output * label_scale + label_shift, phi = z
/// or, with loss.link=log, phi = exp(z).
SmfPrediction prediction_of(Context& context, Module& network, const SmfSettings& settings,
                            const Transform& transform);
/// The loss of the settings: loss.name, plus loss.poisson times the Poisson likelihood of the counts.
SmfLoss loss_of(Context& context, const SmfSettings& settings, const Transform& transform);
/// The same for lists of halos, whose network gives the logs of expected numbers (models/um_halos.h): the prediction is
/// its output, phi what is reported. The loss is loss_of() phi plus halos_weight times minus the log of the probability
/// of every halo's own galaxy, summed over the halos of a sub-box and averaged over sub-boxes.
Objective halos_objective(Context& context, Module& network, const SmfSettings& settings,
                          const Transform& transform);
/// prediction_of(), loss_of() and, as the metric, chi2_sum(). `network` must outlive them.
Objective smf_objective(Context& context, Module& network, const SmfSettings& settings,
                        const Transform& transform);

}  // namespace umbra
