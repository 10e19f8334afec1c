#include "models/basic_block.h"

namespace umbra {

BasicBlock::BasicBlock(Build& build, const Options& o) {
  const auto conv_of = [&](std::int64_t in, std::int64_t kernel, std::int64_t stride) {
    return std::make_shared<Conv>(build,
                                  Conv::Options{o.rank, in, o.out_channels, kernel, stride, kernel / 2});
  };
  conv1_ = add_child("conv1", conv_of(o.in_channels, 3, o.stride));
  bn1_ = add_child("bn1", std::make_shared<BatchNorm>(build, o.out_channels));
  conv2_ = add_child("conv2", conv_of(o.out_channels, 3, 1));
  bn2_ = add_child("bn2", std::make_shared<BatchNorm>(build, o.out_channels));
  if (o.stride != 1 || o.in_channels != o.out_channels) {
    std::vector<std::shared_ptr<Module>> parts{conv_of(o.in_channels, 1, o.stride),
                                               std::make_shared<BatchNorm>(build, o.out_channels)};
    downsample_ = add_child("downsample", std::make_shared<Sequential>(std::move(parts)));
  }
}

Var BasicBlock::forward(Pass& pass, const Var& x) {
  Var y = relu(pass, bn1_->forward(pass, conv1_->forward(pass, x)));
  y = bn2_->forward(pass, conv2_->forward(pass, y));
  const Var shortcut = downsample_ ? downsample_->forward(pass, x) : x;
  return relu(pass, add(pass, y, shortcut));
}

}  // namespace umbra
