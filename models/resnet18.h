// ResNet18 (He et al. 2016, arXiv:1512.03385, table 1) on square images, with torchvision's parameter names:
// the network most people know, and a check that the engine is not made for one shape.
//
//   conv1 (64, 7^2, stride 2, padding 3), BN, ReLU, max-pool (3, 2, 1)
//   layer1 … layer4: two residual blocks each with 64, 128, 256, 512 channels, stride 2 from layer2 on
//   mean over positions, fc
//
// What surprises: on 64^2 images layer4 works on 2^2 positions, where most taps meet padding.
#pragma once

#include "engine/nn/layers.h"
#include "models/model.h"

namespace umbra {

struct ResNet18Options {
  static constexpr std::string_view kName = "resnet18",
                                    kMeaning = "ResNet18 of He et al. (2016), for square images";
  std::int64_t extent = 224;  // pixels per side
  std::int64_t in_channels = 3;
  std::int64_t classes = 1000;

  std::vector<Setting> settings() { return {}; }  // all follow from the data
  std::string label() const { return std::string(kName); }
  SampleShape example() const { return {{3, 64, 64}, 1000}; }
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const;
};

class ResNet18 final : public Module {
 public:
  ResNet18(Build& build, const ResNet18Options& options);
  /// x [N, in_channels, extent, extent] -> logits [N, classes]
  Var forward(Pass& pass, const Var& x) override;

 private:
  std::shared_ptr<Conv> conv1_;
  std::shared_ptr<BatchNorm> bn1_;
  std::vector<std::shared_ptr<Module>> layers_;
  std::shared_ptr<Linear> fc_;
};

}  // namespace umbra
