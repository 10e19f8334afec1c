#include "models/tasks/smf/objective.h"
#include "models/tasks/smf/standardised.h"

namespace umbra {
namespace {

// From the logs of expected numbers, [N, rows (bins + 1)], to phi: their sum over rows in the unit of phi, without the
// class of galaxies in no bin. `to_phi` is [bins, bins + 1]. Not by linear(), which rounds in bf16: counts are exact.
Var phi_of(Pass& pass, const Var& logs, const Tensor& to_phi) {
  const std::int64_t boxes = logs->value.shape()[0], classes = to_phi.shape()[1];
  const Var numbers = reshape(pass, exp(pass, logs), {boxes, logs->value.shape()[1] / classes, classes});
  const Var sums = reduce_axes(pass, numbers, AxisReduction::kSum, {1});  // [N, bins + 1]
  const Var terms =
      mul(pass, expand(pass, sums, 1, to_phi.shape()[0]), expand(pass, constant(to_phi), 0, boxes));
  return reduce_axes(pass, terms, AxisReduction::kSum, {2});
}

// Minus the log of the probability of the labels [N, rows], -1 where there is none, summed over rows, mean over boxes.
Var halos_loss(Pass& pass, const Var& logs, const Tensor& labels) {
  const Shape& s = labels.shape();
  const std::int64_t rows = s[0] * s[1];
  CrossEntropyOptions options;
  options.ignore_index = -1;
  options.reduce = Reduce::kNone;
  const Var loss = softmax_cross_entropy(pass, reshape(pass, logs, {rows, logs->value.count() / rows}),
                                         to_labels(pass.context, labels.reshaped({rows})), options);
  const Var of_box = reduce_axes(pass, reshape(pass, loss, s), AxisReduction::kSum, {1});
  return reduce_axes(pass, of_box, AxisReduction::kMean, {0});
}

// [bins, bins + 1]: the number of galaxies in a bin times this is phi.
Tensor number_to_phi(Context& context, const SmfSettings& settings) {
  const auto bins = static_cast<std::size_t>(settings.smf_bins);
  const double phi = 1 / settings.galaxies_per_phi();
  std::vector<double> values(bins * (bins + 1), 0.0);
  for (std::size_t bin = 0; bin < bins; ++bin) values[bin * (bins + 1) + bin] = phi;
  const Tensor tensor =
      allocate_tensor(context.device(), {settings.smf_bins, settings.smf_bins + 1}, DType::kF32);
  from_host(values, tensor, context.stream);
  context.stream.synchronize();
  return tensor;
}

}  // namespace

Objective halos_objective(Context& context, Module& network, const SmfSettings& settings,
                          const Transform& transform) {
  const std::int64_t bins = settings.smf_bins;
  const Tensor to_phi = number_to_phi(context, settings);
  Objective objective;
  objective.predict = [&network](Pass& pass, const Var& input) { return network.forward(pass, input); };
  objective.report = [to_phi](Pass& pass, const Var& logs) { return phi_of(pass, logs, to_phi); };
  objective.loss = [to_phi, bins, of_phi = loss_of(context, settings, transform),
                    weighted = settings.halos_weight > 0,
                    weight = tensor_of({settings.halos_weight}, context)](Pass& pass, const Var& logs,
                                                                          const Tensor& target) {
    const std::vector<Var> parts = split(pass, constant(target), {bins, target.shape()[1] - bins}, 1);
    const Var loss = of_phi(pass, phi_of(pass, logs, to_phi), parts[0]->value);
    if (!weighted) return loss;
    const Var halos = halos_loss(pass, logs, parts[1]->value);
    return add(pass, loss, mul(pass, halos, constant(weight)));
  };
  objective.metric = [sigma = transform.sigma](std::span<const double> phi, std::span<const double> target) {
    const std::size_t bins_ = sigma.size(), boxes = phi.size() / bins_, stride = target.size() / boxes;
    double sum = 0;
    for (std::size_t box = 0; box < boxes; ++box)
      sum += chi2_sum(phi.subspan(box * bins_, bins_), target.subspan(box * stride, bins_), sigma);
    return sum;
  };
  return objective;
}

}  // namespace umbra
