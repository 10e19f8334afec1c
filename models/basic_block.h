// The residual block of ResNet18 (He et al. 2016) in two or three dimensions:
//   relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)),  shortcut = bn(1x1 conv) where stride or channels
//   change, else identity.
#pragma once

#include "engine/nn/layers.h"

namespace umbra {

class BasicBlock final : public Module {
 public:
  struct Options {
    int rank = 3;  // spatial dimensions
    std::int64_t in_channels, out_channels, stride = 1;
  };
  BasicBlock(Build& build, const Options& options);
  Var forward(Pass& pass, const Var& x) override;

 private:
  std::shared_ptr<Module> conv1_, bn1_, conv2_, bn2_;
  std::shared_ptr<Module> downsample_;  // null: the identity
};

}  // namespace umbra
