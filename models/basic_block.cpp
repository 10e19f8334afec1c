#include "models/basic_block.h"

namespace umbra {

BasicBlock::BasicBlock(Build& build, const Options& o) {
  const auto conv_of = [&](std::int64_t in, std::int64_t extent, std::int64_t kernel, std::int64_t stride) {
    return std::make_shared<Conv>(
        build, Conv::Options{o.rank, in, o.out_channels, extent, kernel, stride, kernel / 2});
  };
  conv1_ = add_child("conv1", conv_of(o.in_channels, o.extent, 3, o.stride));
  bn1_ = add_child("bn1", std::make_shared<BatchNorm>(build, o.out_channels));
  conv2_ = add_child("conv2", conv_of(o.out_channels, conv1_->out_extents()[2], 3, 1));
  bn2_ = add_child("bn2", std::make_shared<BatchNorm>(build, o.out_channels));
  if (o.stride != 1 || o.in_channels != o.out_channels) {
    shortcut_conv_ = add_child("downsample.0", conv_of(o.in_channels, o.extent, 1, o.stride));
    shortcut_bn_ = add_child("downsample.1", std::make_shared<BatchNorm>(build, o.out_channels));
  }
}

Var BasicBlock::forward(Pass& pass, const Var& x) {
  const Var y = bn1_->forward_conv(pass, *conv1_, x, true);
  const Var shortcut = shortcut_bn_ ? shortcut_bn_->forward_conv(pass, *shortcut_conv_, x, false) : x;
  return bn2_->forward_conv(pass, *conv2_, y, true, shortcut);
}

std::shared_ptr<Module> residual_layer(Build& build, const BasicBlock::Options& first,
                                       std::int64_t* out_extent) {
  const std::int64_t out = first.out_channels;
  auto enter = std::make_shared<BasicBlock>(build, first);
  *out_extent = enter->out_extent();
  auto stay = std::make_shared<BasicBlock>(build, BasicBlock::Options{first.rank, out, out, *out_extent, 1});
  return std::make_shared<Sequential>(std::vector<std::shared_ptr<Module>>{enter, stay});
}

}  // namespace umbra
