#include "models/um_resnet2d.h"

#include "models/box_samples.h"
#include "models/um_resnet.h"

namespace umbra {

std::vector<Setting> UmResNet2dOptions::settings() {
  return {
      {"model.channels",
       "channels of the first layer (20 as in um_resnet; the authors' plain network has 10)", &channels, 1,
       4096},
      {"model.dropout", "probability of dropping a hidden unit of the fully connected layers", &dropout, 0,
       0.99},
      {"model.blocks",
       "residual (um_resnet with 2D convolutions) or plain (three convolutions, as in the authors' 2D network)",
       &blocks,
       0,
       0,
       {"residual", "plain"}},
  };
}

std::string UmResNet2dOptions::label() const {
  return concat(kName, blocks == "residual" ? "" : " " + blocks, " C=", channels);
}

std::unique_ptr<Module> UmResNet2dOptions::make(Build& build, const SampleShape& shape) const {
  const Shape& in = shape.input;
  require(in.rank() == 4 && in[1] == in[2] && in[2] == in[3],
          "model.name=um_resnet2d takes cubes, inputs of shape [channels, side, side, side], but these are ",
          in);
  UmResNet2dOptions options = *this;
  options.features = in[0] - shape.parameters;
  options.voxels = in[1];
  options.outputs = shape.outputs;
  options.parameters = shape.parameters;
  if (blocks == "plain") return std::make_unique<UmPlain2d>(build, options);
  return std::make_unique<UmResNet>(build, UmResNetOptions{.channels = channels,
                                                           .in_channels = options.features,
                                                           .voxels = options.voxels,
                                                           .outputs = options.outputs,
                                                           .dropout = dropout,
                                                           .parameters = options.parameters,
                                                           .rank = 2});
}

std::unique_ptr<Model> um_resnet2d_model() {
  return std::make_unique<ModelOf<UmResNet2dOptions>>();
}

UmPlain2d::UmPlain2d(Build& build, const UmResNet2dOptions& o) : options_(o) {
  require(o.channels > 0 && o.features > 0 && o.outputs > 0,
          "um_resnet2d: channels, features and outputs must be positive");
  require(o.voxels >= 8,
          "model.blocks=plain halves the side of a cube three times: at least 8 voxels per "
          "side are needed, but there are ",
          o.voxels);
  std::int64_t in = o.features * o.voxels, side = o.voxels;
  for (int layer = 1; layer <= 3; ++layer) {
    const std::int64_t out = o.channels << (layer - 1);
    conv_.push_back(add_child(concat("conv", layer),
                              std::make_shared<Conv>(build, Conv::Options{2, in, out, side, 3, 1, 1})));
    bn_.push_back(add_child(concat("bn", layer), std::make_shared<BatchNorm>(build, out)));
    in = out;
    side /= 2;
  }
  fc1_ = add_child("fc1", std::make_shared<Linear>(build, in * side * side + o.parameters, 68));
  fcbn1_ = add_child("fcbn1", std::make_shared<BatchNorm>(build, 68));
  fc2_ = add_child("fc2", std::make_shared<Linear>(build, 68, o.outputs));
}

Var UmPlain2d::forward(Pass& pass, const Var& x) {
  const auto [map, parameters] = split_parameters(pass, x, options_.parameters);
  Var s = slices_as_channels(pass, map);
  for (std::size_t i = 0; i < conv_.size(); ++i)  // [N, C, 12, 12], [N, 2C, 6, 6], [N, 4C, 3, 3]
    s = max_pool(pass, bn_[i]->forward_conv(pass, *conv_[i], s, true), cubic_window(2, 2, 0));
  s = flatten(pass, s);  // [N, 36C]
  if (parameters) s = concatenate(pass, {s, parameters}, 1);
  s = dropout(pass, fcbn1_->forward_relu(pass, fc1_->forward(pass, s)), options_.dropout);
  return fc2_->forward(pass, s);  // [N, outputs]
}

}  // namespace umbra
