#include "models/tasks/smf/objective.h"

#include "engine/base/error.h"
#include "models/tasks/smf/standardised.h"

namespace umbra {
namespace {

// The negative log likelihood of the numbers of galaxies, times a weight.
SmfLoss poisson_loss(Context& context, const SmfSettings& settings, double weight) {
  return [exposure = settings.galaxies_per_phi(), weight = tensor_of({weight}, context),
          zero = tensor_of({0}, context)](Pass& pass, const Var& phi, const Tensor& target) {
    const Var loss = reshape(pass, poisson(pass, phi, target, exposure), {1, 1});
    return reshape(pass, affine(pass, loss, weight, zero), {1});
  };
}

// The loss that loss.name names.
SmfLoss named_loss(Context& context, const SmfSettings& settings, const Transform& transform) {
  if (settings.loss == "chi2_linear")
    return [sigma = tensor_of(transform.sigma, context)](Pass& pass, const Var& phi, const Tensor& target) {
      return chi2_linear(pass, phi, target, sigma);
    };
  if (settings.loss == "chi2_log")
    return [sigma_dex = tensor_of(transform.sigma_dex, context), floor = settings.log_floor()](
               Pass& pass, const Var& phi, const Tensor& target) {
      return chi2_log(pass, phi, target, sigma_dex, floor);
    };
  if (settings.loss == "poisson") return poisson_loss(context, settings, 1);
  return standardised_mse(transform.label_scale, transform.label_shift, context);
}

}  // namespace

double chi2_sum(std::span<const double> phi, std::span<const double> target,
                const std::vector<double>& sigma) {
  double sum = 0;
  for (std::size_t i = 0; i < phi.size(); ++i) {
    const double d = (phi[i] - target[i]) / sigma[i % sigma.size()];
    sum += d * d;
  }
  return sum;
}

SmfPrediction prediction_of(Context& context, Module& network, const SmfSettings& settings,
                            const Transform& transform) {
  return [&network, log = settings.link == "log", scale = tensor_of(transform.label_scale, context),
          shift = tensor_of(transform.label_shift, context)](Pass& pass, const Var& input) {
    const Var z = affine(pass, network.forward(pass, input), scale, shift);
    return log ? exp(pass, z) : z;
  };
}

SmfLoss loss_of(Context& context, const SmfSettings& settings, const Transform& transform) {
  const SmfLoss named = named_loss(context, settings, transform);
  if (settings.poisson == 0) return named;
  return [named, counts = poisson_loss(context, settings, settings.poisson)](Pass& pass, const Var& phi,
                                                                             const Tensor& target) {
    return add(pass, named(pass, phi, target), counts(pass, phi, target));
  };
}

Objective smf_objective(Context& context, Module& network, const SmfSettings& settings,
                        const Transform& transform) {
  if (settings.lists()) return halos_objective(context, network, settings, transform);
  Objective objective;
  objective.predict = prediction_of(context, network, settings, transform);
  objective.loss = loss_of(context, settings, transform);
  objective.metric = [errors = transform.sigma](std::span<const double> phi, std::span<const double> target) {
    return chi2_sum(phi, target, errors);
  };
  return objective;
}

}  // namespace umbra
