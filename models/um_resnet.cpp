#include "models/um_resnet.h"

#include "models/basic_block.h"

namespace umbra {
namespace {

// Two blocks, the first of stride 2. `extent`: that of the input on entry, that of the output on return.
std::shared_ptr<Module> make_layer(Build& build, std::int64_t in, std::int64_t out, std::int64_t& extent) {
  auto first = std::make_shared<BasicBlock>(build, BasicBlock::Options{3, in, out, extent, 2});
  extent = first->out_extent();
  auto second = std::make_shared<BasicBlock>(build, BasicBlock::Options{3, out, out, extent, 1});
  return std::make_shared<Sequential>(std::vector<std::shared_ptr<Module>>{first, second});
}

}  // namespace

std::vector<Setting> UmResNetOptions::settings() {
  return {
      {"model.channels", "channels of the first layer (the paper scans 20, 100, 200)", &channels, 1, 4096},
      {"model.dropout", "probability of dropping a unit after fc1 and fc2", &dropout, 0, 0.99},
  };
}

std::unique_ptr<Module> UmResNetOptions::make(Build& build, const SampleShape& shape) const {
  const Shape& in = shape.input;
  require(in.rank() == 4 && in[1] == in[2] && in[2] == in[3],
          "model.name=um_resnet takes cubes, inputs of shape [channels, side, side, side], but these are ",
          in);
  UmResNetOptions options = *this;
  options.in_channels = in[0];
  options.voxels = in[1];
  options.outputs = shape.outputs;
  return std::make_unique<UmResNet>(build, options);
}

std::unique_ptr<Model> um_resnet_model() {
  return std::make_unique<ModelOf<UmResNetOptions>>();
}

UmResNet::UmResNet(Build& build, const UmResNetOptions& o) : options_(o) {
  require(o.channels > 0 && o.in_channels > 0 && o.outputs > 0 && o.voxels > 0,
          "um_resnet: channels, features, voxels and outputs must be positive");
  const std::int64_t c = o.channels;
  conv1_ = add_child("conv1",
                     std::make_shared<Conv>(build, Conv::Options{3, o.in_channels, c, o.voxels, 3, 2, 3}));
  bn1_ = add_child("bn1", std::make_shared<BatchNorm>(build, c));
  std::int64_t side = (conv1_->out_extents()[2] - 1) / 2 + 1;  // after the pool
  layer1_ = add_child("layer1", make_layer(build, c, c, side));
  layer2_ = add_child("layer2", make_layer(build, c, 2 * c, side));
  layer3_ = add_child("layer3", make_layer(build, 2 * c, 4 * c, side));
  fc1_ = add_child("fc1", std::make_shared<Linear>(build, 4 * c * side * side * side, 320));
  fcbn1_ = add_child("fcbn1", std::make_shared<BatchNorm>(build, 320));
  fc2_ = add_child("fc2", std::make_shared<Linear>(build, 320, 80));
  fcbn2_ = add_child("fcbn2", std::make_shared<BatchNorm>(build, 80));
  fc3_ = add_child("fc3", std::make_shared<Linear>(build, 80, o.outputs));
  fcbn3_ = add_child("fcbn3", std::make_shared<BatchNorm>(build, o.outputs));
}

Var UmResNet::forward(Pass& pass, const Var& x) {
  Var s = bn1_->forward_stem(pass, *conv1_, x, cubic_window(3, 2, 1));  // [N, C, 8, 8, 8], 15^3 never written
  s = layer1_->forward(pass, s);                                        // [N, C, 4, 4, 4]
  s = layer2_->forward(pass, s);                                        // [N, 2C, 2, 2, 2]
  s = layer3_->forward(pass, s);                                        // [N, 4C, 1, 1, 1]
  s = flatten(pass, s);                                                 // [N, 4C]
  s = dropout(pass, fcbn1_->forward_relu(pass, fc1_->forward(pass, s)), options_.dropout);
  s = dropout(pass, fcbn2_->forward_relu(pass, fc2_->forward(pass, s)), options_.dropout);
  return fcbn3_->forward(pass, fc3_->forward(pass, s));  // [N, outputs]
}

}  // namespace umbra
