// The gradient of the UM ResNet's loss on any boxes of a mock universe, with batch norm in training or evaluation mode.
#pragma once

#include <algorithm>
#include <cmath>

#include "data/boxes/boxes.h"
#include "data/mock/mock.h"
#include "engine/optim/optimizer.h"
#include "models/um_resnet.h"

namespace umbra::learn {

class BoxGradients {
 public:
  /// A mock universe with a side of 250 Mpc/h, cut into 1000 boxes.
  BoxGradients(double min_vpeak, std::int64_t channels, std::uint64_t seed)
      : boxes_(make_boxes(mock::make({.min_vpeak = min_vpeak, .seed = seed, .bias = {}}).catalog,
                          cut(min_vpeak))),
        bins_(std::ssize(boxes_.sigma)),
        net_(build_, {.channels = channels, .outputs = bins_}),
        adam_(make_adam(net_.parameters(), {})) {
    std::vector<double> mean(boxes_.sigma.size()), spread(mean);
    const auto over_boxes = [&](auto add) {
      for (std::size_t i = 0; i < boxes_.smf.size(); ++i) add(i % mean.size(), boxes_.smf[i]);
    };
    over_boxes([&](std::size_t bin, double phi) { mean[bin] += phi / static_cast<double>(boxes_.count); });
    over_boxes([&](std::size_t bin, double phi) { spread[bin] += std::pow(phi - mean[bin], 2); });
    for (double& each : spread) each = std::sqrt(each / static_cast<double>(boxes_.count));
    from_host(mean, shift_, context_.stream);
    from_host(spread, scale_, context_.stream);
    from_host(std::vector<double>(boxes_.sigma.begin(), boxes_.sigma.end()), sigma_, context_.stream);
  }
  std::int64_t count() const { return boxes_.count; }

  /// The mean loss of these boxes; the parameters receive its gradient.
  double loss(std::span<const std::int64_t> batch, bool training) {
    const std::int64_t n = std::ssize(batch), voxels = 25 * 25 * 25;
    const Tensor input = context_.temporary({n, 1, 25, 25, 25}, DType::kF32);
    const Tensor target = context_.temporary({n, bins_}, DType::kF32);
    for (std::int64_t i = 0; i < n; ++i) {
      std::copy_n(boxes_.input.begin() + batch[i] * voxels, voxels,
                  input.values<float>().begin() + i * voxels);
      std::copy_n(boxes_.smf.begin() + batch[i] * bins_, bins_, target.values<float>().begin() + i * bins_);
    }
    Tape tape(context_);
    Pass pass{context_, &tape, training};
    const Var phi = affine(pass, net_.forward(pass, constant(input)), scale_, shift_);
    const Var chi2 = chi2_linear(pass, phi, target, sigma_);
    tape.backward(chi2);
    return to_host(chi2->value, context_.stream)[0];
  }
  /// The gradient of the mean loss of these boxes by all weights, with the statistics of batch norm frozen.
  std::vector<double> gradient(std::span<const std::int64_t> batch) {
    loss(batch, false);
    std::vector<double> all;
    for (const Parameter& p : net_.parameters()) {
      for (const float each : p.grad().values<float>()) all.push_back(each);
      p.grad() = {};
    }
    return all;
  }
  /// A step of training.
  double train(std::span<const std::int64_t> batch, double lr) {
    const double before = loss(batch, true);
    adam_->step(context_, lr);
    return before;
  }

 private:
  static BoxOptions cut(double min_vpeak) {
    BoxOptions options;
    options.min_vpeak = min_vpeak;
    return options;
  }
  BoxSet boxes_;
  std::int64_t bins_;
  Registry registry_ = make_registry();
  Context context_{registry_, {}};
  Build build_;
  UmResNet net_;
  std::unique_ptr<Optimizer> adam_;
  Tensor shift_ = allocate_tensor({}, {bins_}, DType::kF32),
         scale_ = allocate_tensor({}, {bins_}, DType::kF32),
         sigma_ = allocate_tensor({}, {bins_}, DType::kF32);
};

}  // namespace umbra::learn
