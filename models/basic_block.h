// The residual block of ResNet18 (He et al. 2016) in two or three dimensions:
//   relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)),  shortcut = bn(1x1 conv) where stride or channels
//   change, else identity.
#pragma once

#include "engine/nn/layers.h"

namespace umbra {

/// The residual block of ResNet18 (He et al. 2016, figure 2 and option B for the shortcut).
class BasicBlock final : public Module {
 public:
  /// The size of the block.
  struct Options {
    int rank = 3;              ///< spatial dimensions, 2 or 3
    std::int64_t in_channels,  ///< channels of the input
        out_channels,          ///< channels of the output
        extent,                ///< positions per side of the input
        stride = 1;            ///< of the first convolution and of the shortcut
  };
  /// Creates the parameters of all layers in `build`.
  BasicBlock(Build& build, const Options& options);
  /// x [N, in_channels, extent, …] -> [N, out_channels, out_extent(), …]
  Var forward(Pass& pass, const Var& x) override;
  /// Positions per side of the output.
  std::int64_t out_extent() const { return conv1_->out_extents()[2]; }

 private:
  std::shared_ptr<Conv> conv1_, conv2_;
  std::shared_ptr<BatchNorm> bn1_, bn2_;
  std::shared_ptr<Conv> shortcut_conv_;  // null, like shortcut_bn_, where the shortcut is the identity
  std::shared_ptr<BatchNorm> shortcut_bn_;
};

/// A layer of a residual network: the block `first`, then one with as many output channels and stride 1, with
/// the names 0 and 1. Writes the positions per side of its output to `out_extent`.
std::shared_ptr<Module> residual_layer(Build& build, const BasicBlock::Options& first,
                                       std::int64_t* out_extent);

}  // namespace umbra
