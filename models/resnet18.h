// ResNet18 (He et al. 2016, arXiv:1512.03385, table 1) on square images, with torchvision's parameter
// names. It is widely known, and it checks that the engine is not limited to one shape.
//
//   conv1 (64, 7^2, stride 2, padding 3), BN, ReLU, max-pool (3, 2, 1)
//   layer1 … layer4: two residual blocks each with 64, 128, 256, 512 channels, stride 2 from layer2 on
//   mean over positions, dropout, fc
//
// On 64^2 images layer4 then works on 2^2 positions, where most taps meet padding. The stem of small images is
// conv1 (64, 3^2, stride 1, padding 1), BN, ReLU without a pool, as in section 4.2 of the paper: layer4 works on 8^2
// positions, and the network does 13 times the work.
#pragma once

#include "engine/nn/layers.h"
#include "models/model.h"

namespace umbra {

/// The options of ResNet18; ModelOf<ResNet18Options> is the model.
struct ResNet18Options {
  static constexpr std::string_view kName = "resnet18",  ///< the name in models.def
      /// The line of --help.
      kMeaning = "ResNet18 of He et al. (2016), for square images";
  std::int64_t extent = 224;     ///< pixels per side
  std::int64_t in_channels = 3;  ///< 3 for RGB
  std::int64_t classes = 1000;   ///< outputs
  std::string stem = "7x7";      ///< "7x7" with a pool, or "3x3" without
  std::int64_t channels = 64;    ///< of conv1 and layer1; later layers have 2, 4 and 8 times as many
  double dropout = 0;            ///< probability of dropping a channel before fc

  /// The options that the data do not determine.
  std::vector<Setting> settings();
  /// The name with the options that are not torchvision's.
  std::string label() const;
  /// An RGB image of 64^2 pixels and the 1000 classes of ImageNet.
  SampleShape example() const { return {{3, 64, 64}, 1000}; }
  /// Throws Error unless shape.input is [channels, side, side].
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const;
};

/// The network of ResNet18Options.
class ResNet18 final : public Module {
 public:
  /// Throws Error unless all extents and numbers are positive.
  ResNet18(Build& build, const ResNet18Options& options);
  /// x [N, in_channels, extent, extent] -> logits [N, classes]
  Var forward(Pass& pass, const Var& x) override;

 private:
  bool pools_;
  double dropout_;
  std::shared_ptr<Conv> conv1_;
  std::shared_ptr<BatchNorm> bn1_;
  std::vector<std::shared_ptr<Module>> layers_;
  std::shared_ptr<Linear> fc_;
};

}  // namespace umbra
