// The 2D networks that preceded the 3D network of Nadler & To (2018). Section 3.2 of the paper reports that the
// network of the authors' milestone "implemented 2D convolutions" and was more biased, but does not describe it.
// Their repository (github.com/chto/umml, model/net.py) contains two candidates; model.blocks chooses one.
//
// residual (our reading of the milestone): um_resnet with 2D instead of 3D convolutions, batch norms and pools, and
// no other difference. The authors' 3D class was evidently made from such a network: it still initialises Conv2d and
// BatchNorm2d layers, of which it has none, and has a commented AvgPool2d.
//
//   conv1 (C, 3^2, stride 2, padding 3), BN, ReLU, max-pool (3, 2, 1)                  25^2 -> 15^2 -> 8^2
//   layer1, layer2, layer3 with C, 2C, 4C channels                                     8^2 -> 4^2 -> 2^2 -> 1^2
//   flatten, join the parameters of the box (if any), fc1 320, …, fc3 bins, BN as in um_resnet
//
// plain: the only complete 2D network there, the class Net. Its fc1 has 360 = 36 C inputs, so C was 10.
//
//   three times: conv (3^2, padding 1; C, 2C, 4C channels), BN, ReLU, max-pool 2       25^2 -> 12^2 -> 6^2 -> 3^2
//   flatten, join the parameters, fc1 68, BN, ReLU, dropout, fc2 bins
//
// Net as committed ends in a linear layer over the whole minibatch that gets new random weights in every pass. We
// build the layers that are commented out there instead, with two differences: ReLU and dropout come before
// fc2 instead of after it, because standardised labels can be negative, and the convolutions have no bias, which the
// batch norms would remove.
//
// Both take the 25 slices of a cube along its first axis as the channels of one image, as Net does.
#pragma once

#include "engine/nn/layers.h"
#include "models/model.h"

namespace umbra {

/// The options of the 2D networks; ModelOf<UmResNet2dOptions> is the model.
struct UmResNet2dOptions {
  static constexpr std::string_view kName = "um_resnet2d",  ///< the name in models.def
      /// The line of --help.
      kMeaning = "2D networks for the slices of a cube, the predecessors of um_resnet";
  std::int64_t channels = 20;       ///< C
  double dropout = 0;               ///< probability of dropping a hidden unit of the fully connected layers
  std::string blocks = "residual";  ///< "residual" or "plain"
  std::int64_t features = 1;        ///< per voxel
  std::int64_t voxels = 25;         ///< grid points per side
  std::int64_t outputs = 14;        ///< mass bins
  std::int64_t parameters = 0;      ///< of a box, the channels behind the features

  /// The settings of `channels`, `dropout` and `blocks`; the data determine the others.
  std::vector<Setting> settings();
  /// The name, the kind of blocks unless residual, and the channels, e.g. "um_resnet2d plain C=10".
  std::string label() const;
  /// The samples of the paper: 25^3 voxels and 14 mass bins.
  SampleShape example() const { return {{1, 25, 25, 25}, 14}; }
  /// A UmResNet of rank 2 or a UmPlain2d. Throws Error unless shape.input is [channels, side, side, side], and
  /// for plain blocks unless side is at least 8.
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const;
};

/// The network of UmResNet2dOptions with plain blocks.
class UmPlain2d final : public Module {
 public:
  /// Throws Error unless all extents and channels are positive and there are at least 8 voxels per side.
  UmPlain2d(Build& build, const UmResNet2dOptions& options);
  /// x [N, features + parameters, V, V, V] -> [N, outputs]
  Var forward(Pass& pass, const Var& x) override;

 private:
  UmResNet2dOptions options_;
  std::vector<std::shared_ptr<Conv>> conv_;     // conv1, conv2, conv3
  std::vector<std::shared_ptr<BatchNorm>> bn_;  // bn1, bn2, bn3
  std::shared_ptr<Linear> fc1_, fc2_;
  std::shared_ptr<BatchNorm> fcbn1_;
};

}  // namespace umbra
