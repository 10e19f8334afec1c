// The residual block of ResNet18 (He et al. 2016) in two or three dimensions:
//   relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)),  shortcut = bn(1x1 conv) where stride or channels
//   change, else identity.
#pragma once

#include "engine/nn/layers.h"

namespace umbra {

class BasicBlock final : public Module {
 public:
  struct Options {
    int rank = 3;                                                // spatial dimensions
    std::int64_t in_channels, out_channels, extent, stride = 1;  // extent: positions per side of the input
  };
  BasicBlock(Build& build, const Options& options);
  Var forward(Pass& pass, const Var& x) override;
  std::int64_t out_extent() const { return conv1_->out_extents()[2]; }

 private:
  std::shared_ptr<Conv> conv1_, conv2_;
  std::shared_ptr<BatchNorm> bn1_, bn2_;
  std::shared_ptr<Conv> shortcut_conv_;  // null, as is the next: the identity
  std::shared_ptr<BatchNorm> shortcut_bn_;
};

}  // namespace umbra
