#include "models/resnet18.h"

#include "models/basic_block.h"

namespace umbra {

std::vector<Setting> ResNet18Options::settings() {
  return {
      {"model.stem",
       "7x7: torchvision's, for images of 224 pixels; 3x3: for small ones, 13 times the work",
       &stem,
       0,
       0,
       {"7x7", "3x3"}},
      {"model.channels", "channels of conv1 and layer1; torchvision has 64", &channels, 1, 4096},
      {"model.dropout", "probability of dropping a channel before fc", &dropout, 0, 0.99},
  };
}

std::string ResNet18Options::label() const {
  const ResNet18Options usual{};
  return concat(kName, stem == usual.stem ? "" : concat(" ", stem),
                channels == usual.channels ? "" : concat(" C=", channels));
}

std::unique_ptr<Module> ResNet18Options::make(Build& build, const SampleShape& shape) const {
  const Shape& in = shape.input;
  require(
      in.rank() == 3 && in[1] == in[2],
      "model.name=resnet18 takes square images, inputs of shape [channels, side, side], but these are ", in,
      "; for a folder of images data.image_size or data.image_crop makes them square, and model.name=mlp ",
      "takes any shape");
  ResNet18Options options = *this;
  options.extent = in[1];
  options.in_channels = in[0];
  options.classes = shape.outputs;
  return std::make_unique<ResNet18>(build, options);
}

std::unique_ptr<Model> resnet18_model() {
  return std::make_unique<ModelOf<ResNet18Options>>();
}

ResNet18::ResNet18(Build& build, const ResNet18Options& o) : pools_(o.stem == "7x7"), dropout_(o.dropout) {
  require(o.extent > 0 && o.in_channels > 0 && o.classes > 0 && o.channels > 0,
          "resnet18: extent, channels and classes must be positive");
  const std::int64_t kernel = pools_ ? 7 : 3, stride = pools_ ? 2 : 1;
  conv1_ = add_child(
      "conv1", std::make_shared<Conv>(
                   build, Conv::Options{2, o.in_channels, o.channels, o.extent, kernel, stride, kernel / 2}));
  bn1_ = add_child("bn1", std::make_shared<BatchNorm>(build, o.channels));
  std::int64_t side = conv1_->out_extents()[2], in = o.channels;
  if (pools_) side = (side - 1) / 2 + 1;
  for (int layer = 1; layer <= 4; ++layer) {
    const std::int64_t out = o.channels << (layer - 1);
    const BasicBlock::Options first{2, in, out, side, layer == 1 ? 1 : 2};
    layers_.push_back(add_child(concat("layer", layer), residual_layer(build, first, &side)));
    in = out;
  }
  fc_ = add_child("fc", std::make_shared<Linear>(build, in, o.classes));
}

Var ResNet18::forward(Pass& pass, const Var& x) {
  Var s = bn1_->forward_conv(pass, *conv1_, x, true);
  if (pools_) s = max_pool(pass, s, cubic_window(3, 2, 1));
  for (const auto& layer : layers_) s = layer->forward(pass, s);
  return fc_->forward(pass, dropout(pass, mean_pool(pass, s), dropout_));
}

}  // namespace umbra
