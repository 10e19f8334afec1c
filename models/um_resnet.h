// The UM ResNet of Nadler & To (2018), section 3.2 and figure 4, as its authors trained it: halos in a 25
// Mpc/h box on a 25^3 grid in, a stellar mass function in 14 bins out.
//
//   conv1 (C, 3^3, stride 2, padding 3), BN, ReLU, max-pool (3, 2, 1)          25^3 -> 15^3 -> 8^3
//   layer1, layer2, layer3: two residual blocks each with C, 2C, 4C channels,
//                           the first of stride 2                              8^3 -> 4^3 -> 2^3 -> 1^3
//   flatten, join the parameters of the box and the sum over its voxels (voxel_sum.h), if any,
//   fc1 320, BN, ReLU, dropout, fc2 80, BN, ReLU, dropout, fc3 bins, BN
//
// Note: the output passes a batch norm. The 3^3 kernels of layer3 slide over 2^3 and 1^3 volumes, so 19 or
// 26 of their 27 taps meet nothing but padding: 69 % of the parameters (1400 C^2 of them) never learn.
#pragma once

#include "engine/nn/layers.h"
#include "models/model.h"
#include "models/voxel_sum.h"

namespace umbra {

/// The options of UmResNet; ModelOf<UmResNetOptions> is the model.
struct UmResNetOptions {
  static constexpr std::string_view kName = "um_resnet",  ///< the name in models.def
      /// The line of --help.
      kMeaning = "the 3D residual network of Nadler & To (2018), for cubes";
  std::int64_t channels = 20;    ///< C: the paper scans 20, 100, 200
  std::int64_t in_channels = 1;  ///< features per voxel
  std::int64_t voxels = 25;      ///< grid points per side
  std::int64_t outputs = 14;     ///< mass bins
  double dropout = 0;  ///< probability of dropping a unit after fc1 and fc2; the paper gives no value
  std::int64_t parameters = 0;  ///< of a box, the channels behind the features; with "channels", 0
  /// Where parameters enter: "fc1", "film" (scale and shift of the output of every layer, Perez et al. 2018,
  /// arXiv:1709.07871), or "channels" of conv1.
  std::string enter = "fc1";
  std::int64_t pooled = 0;  ///< width of the VoxelSum that joins the map at fc1; 0: none
  /// Of the convolutions: 3, or 2, where the slices of a cube are the channels of an image (um_resnet2d.h).
  int rank = 3;

  /// The settings of `channels`, `dropout`, `enter` and `pooled`; the data determine the others.
  std::vector<Setting> settings();
  /// The name and the number of channels, e.g. "um_resnet C=20".
  std::string label() const { return concat(kName, " C=", channels); }
  /// The samples of the paper: 25^3 voxels and 14 mass bins.
  SampleShape example() const { return {{1, 25, 25, 25}, 14}; }
  /// Throws Error unless shape.input is [channels, side, side, side].
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const;
};

/// The network of UmResNetOptions.
class UmResNet final : public Module {
 public:
  /// Throws Error unless all extents and channels are positive and the rank is 2 or 3.
  UmResNet(Build& build, const UmResNetOptions& options);
  /// x [N, in_channels + parameters, V, V, V] -> [N, outputs]
  Var forward(Pass& pass, const Var& x) override;

 private:
  UmResNetOptions options_;
  std::shared_ptr<Conv> conv1_;
  std::shared_ptr<BatchNorm> bn1_;
  // The output of a layer. With "film", channel c of box n becomes x (1 + gain[n, c]) + shift[n, c], where gain
  // and shift are linear in the parameters.
  struct Layer {
    std::shared_ptr<Module> blocks;
    std::shared_ptr<Linear> gain, shift;  // null without "film"
    Tensor ones;                          // [positions, 1]
  };
  Layer add_layer(Build& build, const std::string& name, std::int64_t in, std::int64_t out,
                  std::int64_t& side);
  static Var forward(Pass& pass, const Layer& layer, const Var& x, const Var& parameters);

  Layer layer1_, layer2_, layer3_;
  std::shared_ptr<VoxelSum> pooled_;  // null without
  std::shared_ptr<Linear> fc1_, fc2_, fc3_;
  std::shared_ptr<BatchNorm> fcbn1_, fcbn2_, fcbn3_;
};

}  // namespace umbra
