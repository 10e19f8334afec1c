#include "models/um_resnet.h"

#include "models/basic_block.h"

namespace umbra {
namespace {

std::shared_ptr<Module> make_layer(Build& build, std::int64_t in, std::int64_t out) {
  auto first = std::make_shared<BasicBlock>(build, BasicBlock::Options{3, in, out, 2});
  auto second = std::make_shared<BasicBlock>(build, BasicBlock::Options{3, out, out, 1});
  return std::make_shared<Sequential>(std::vector<std::shared_ptr<Module>>{first, second});
}

// Side of the grid after one window of size 3.
std::int64_t halved(std::int64_t side, std::int64_t padding) {
  return (side + 2 * padding - 3) / 2 + 1;
}

}  // namespace

UmResNet::UmResNet(Build& build, const UmResNetOptions& o) : options_(o) {
  require(o.channels > 0 && o.in_channels > 0 && o.outputs > 0 && o.voxels > 0,
          "um_resnet: channels, features, voxels and outputs must be positive");
  const std::int64_t c = o.channels;
  const std::int64_t side = halved(halved(halved(halved(halved(o.voxels, 3), 1), 1), 1), 1);
  conv1_ = add_child("conv1", std::make_shared<Conv>(build, Conv::Options{3, o.in_channels, c, 3, 2, 3}));
  bn1_ = add_child("bn1", std::make_shared<BatchNorm>(build, c));
  layer1_ = add_child("layer1", make_layer(build, c, c));
  layer2_ = add_child("layer2", make_layer(build, c, 2 * c));
  layer3_ = add_child("layer3", make_layer(build, 2 * c, 4 * c));
  fc1_ = add_child("fc1", std::make_shared<Linear>(build, 4 * c * side * side * side, 320));
  fcbn1_ = add_child("fcbn1", std::make_shared<BatchNorm>(build, 320));
  fc2_ = add_child("fc2", std::make_shared<Linear>(build, 320, 80));
  fcbn2_ = add_child("fcbn2", std::make_shared<BatchNorm>(build, 80));
  fc3_ = add_child("fc3", std::make_shared<Linear>(build, 80, o.outputs));
  fcbn3_ = add_child("fcbn3", std::make_shared<BatchNorm>(build, o.outputs));
}

Var UmResNet::forward(Pass& pass, const Var& x) {
  Var s = relu(pass, bn1_->forward(pass, conv1_->forward(pass, x)));  // [N, C, 15, 15, 15]
  s = max_pool(pass, s, cubic_window(3, 2, 1));                       // [N, C, 8, 8, 8]
  s = layer1_->forward(pass, s);                                      // [N, C, 4, 4, 4]
  s = layer2_->forward(pass, s);                                      // [N, 2C, 2, 2, 2]
  s = layer3_->forward(pass, s);                                      // [N, 4C, 1, 1, 1]
  s = flatten(pass, s);                                               // [N, 4C]
  s = dropout(pass, relu(pass, fcbn1_->forward(pass, fc1_->forward(pass, s))), options_.dropout);
  s = dropout(pass, relu(pass, fcbn2_->forward(pass, fc2_->forward(pass, s))), options_.dropout);
  return fcbn3_->forward(pass, fc3_->forward(pass, s));  // [N, outputs]
}

}  // namespace umbra
