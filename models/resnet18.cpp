#include "models/resnet18.h"

#include "models/basic_block.h"

namespace umbra {

std::unique_ptr<Module> ResNet18Options::make(Build& build, const SampleShape& shape) const {
  const Shape& in = shape.input;
  require(in.rank() == 3 && in[1] == in[2],
          "model.name=resnet18 takes square images, inputs of shape [channels, side, side], but these are ",
          in);
  return std::make_unique<ResNet18>(build, ResNet18Options{in[1], in[0], shape.outputs});
}

std::unique_ptr<Model> resnet18_model() {
  return std::make_unique<ModelOf<ResNet18Options>>();
}

ResNet18::ResNet18(Build& build, const ResNet18Options& o) {
  require(o.extent > 0 && o.in_channels > 0 && o.classes > 0,
          "resnet18: extent, channels and classes must be positive");
  conv1_ = add_child("conv1",
                     std::make_shared<Conv>(build, Conv::Options{2, o.in_channels, 64, o.extent, 7, 2, 3}));
  bn1_ = add_child("bn1", std::make_shared<BatchNorm>(build, 64));
  std::int64_t side = (conv1_->out_extents()[2] - 1) / 2 + 1, in = 64;  // after the pool
  for (int layer = 1; layer <= 4; ++layer) {
    const std::int64_t out = std::int64_t{32} << layer;
    const BasicBlock::Options first{2, in, out, side, layer == 1 ? 1 : 2};
    layers_.push_back(add_child(concat("layer", layer), residual_layer(build, first, &side)));
    in = out;
  }
  fc_ = add_child("fc", std::make_shared<Linear>(build, in, o.classes));
}

Var ResNet18::forward(Pass& pass, const Var& x) {
  Var s = bn1_->forward_conv(pass, *conv1_, x, true);
  s = max_pool(pass, s, cubic_window(3, 2, 1));
  for (const auto& layer : layers_) s = layer->forward(pass, s);
  return fc_->forward(pass, mean_pool(pass, s));
}

}  // namespace umbra
