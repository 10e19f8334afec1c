#include "models/um_resnet.h"

#include "engine/nn/init.h"
#include "models/basic_block.h"
#include "models/box_samples.h"

namespace umbra {
namespace {

// v [N, C] at every position of a map of this shape [N, C, S…].
Var spread(Pass& pass, const Var& v, const Shape& shape, const Tensor& ones) {
  const Var column = reshape(pass, v, {shape[0] * shape[1], 1});
  return reshape(pass, linear(pass, column, constant(ones), nullptr), shape);
}

// Positions of a map with this many per side.
std::int64_t positions(int rank, std::int64_t side) {
  return rank == 3 ? side * side * side : side * side;
}

}  // namespace

std::vector<Setting> UmResNetOptions::settings() {
  return {
      {"model.channels", "channels of the first layer (the paper scans 20, 100, 200)", &channels, 1, 4096},
      {"model.dropout", "probability of dropping a unit after fc1 and fc2", &dropout, 0, 0.99},
      {"model.parameters",
       "where data.parameters enter: fc1 (joined to the flattened map), film (scale and shift of the output of "
       "every layer) or channels (of the input)",
       &enter,
       0,
       0,
       {"fc1", "film", "channels"}},
      {"model.pooled",
       "width of a small network that is applied to every voxel and summed over the box, which joins the map at fc1. "
       "0: none",
       &pooled, 0, 4096},
  };
}

std::unique_ptr<Module> UmResNetOptions::make(Build& build, const SampleShape& shape) const {
  const Shape& in = shape.input;
  require(in.rank() == 4 && in[1] == in[2] && in[2] == in[3],
          "model.name=um_resnet takes cubes, inputs of shape [channels, side, side, side], but these are ",
          in);
  require(pooled == 0 || enter != "channels" || shape.parameters == 0, "model.pooled=", pooled,
          " needs model.parameters=fc1 or film: with channels no voxel is empty");
  require(shape.parameters > 0 || enter == "fc1", "model.parameters=", enter,
          " says where the parameters of a box enter, but there are none; name them with data.parameters");
  UmResNetOptions options = *this;
  options.parameters = enter == "channels" ? 0 : shape.parameters;
  options.in_channels = in[0] - options.parameters;
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
  require(o.rank == 2 || o.rank == 3, "um_resnet: rank is ", o.rank, ", but must be 2 or 3");
  const std::int64_t c = o.channels;
  const std::int64_t in = o.rank == 3 ? o.in_channels : o.in_channels * o.voxels;
  conv1_ = add_child("conv1", std::make_shared<Conv>(build, Conv::Options{o.rank, in, c, o.voxels, 3, 2, 3}));
  bn1_ = add_child("bn1", std::make_shared<BatchNorm>(build, c));
  std::int64_t side = (conv1_->out_extents()[2] - 1) / 2 + 1;  // after the pool
  layer1_ = add_layer(build, "layer1", c, c, side);
  layer2_ = add_layer(build, "layer2", c, 2 * c, side);
  layer3_ = add_layer(build, "layer3", 2 * c, 4 * c, side);
  const std::int64_t joined = o.enter == "fc1" ? o.parameters : 0;
  if (o.pooled > 0)
    pooled_ = add_child("pooled", std::make_shared<VoxelSum>(build, o.in_channels, o.pooled, o.voxels));
  fc1_ = add_child("fc1",
                   std::make_shared<Linear>(build, 4 * c * positions(o.rank, side) + joined + o.pooled, 320));
  fcbn1_ = add_child("fcbn1", std::make_shared<BatchNorm>(build, 320));
  fc2_ = add_child("fc2", std::make_shared<Linear>(build, 320, 80));
  fcbn2_ = add_child("fcbn2", std::make_shared<BatchNorm>(build, 80));
  fc3_ = add_child("fc3", std::make_shared<Linear>(build, 80, o.outputs));
  fcbn3_ = add_child("fcbn3", std::make_shared<BatchNorm>(build, o.outputs));
}

UmResNet::Layer UmResNet::add_layer(Build& build, const std::string& name, std::int64_t in, std::int64_t out,
                                    std::int64_t& side) {
  Layer layer;
  layer.blocks = add_child(name, residual_layer(build, {options_.rank, in, out, side, 2}, &side));
  if (options_.enter != "film" || options_.parameters == 0) return layer;
  layer.gain = add_child(name + "_gain", std::make_shared<Linear>(build, options_.parameters, out));
  layer.shift = add_child(name + "_shift", std::make_shared<Linear>(build, options_.parameters, out));
  layer.ones = constant_tensor(build, {positions(options_.rank, side), 1}, 1);
  return layer;
}

Var UmResNet::forward(Pass& pass, const Layer& layer, const Var& x, const Var& parameters) {
  const Var y = layer.blocks->forward(pass, x);
  if (!layer.gain) return y;
  const Var map = to_row_major(pass, y);
  const Shape& shape = map->value.shape();
  const Var gain = spread(pass, layer.gain->forward(pass, parameters), shape, layer.ones);
  const Var shift = spread(pass, layer.shift->forward(pass, parameters), shape, layer.ones);
  return add(pass, add(pass, map, mul(pass, map, gain)), shift);
}

Var UmResNet::forward(Pass& pass, const Var& x) {
  const auto [map, parameters] = split_parameters(pass, x, options_.parameters);
  const Window pool = cubic_window(3, 2, 1);
  Var s;  // [N, C, 8, 8, 8], or [N, C, 8, 8] of rank 2
  if (options_.rank == 3)
    s = bn1_->forward_stem(pass, *conv1_, map, pool);  // 15^3 never written
  else
    s = max_pool(pass, bn1_->forward_conv(pass, *conv1_, slices_as_channels(pass, map), true), pool);
  s = forward(pass, layer1_, s, parameters);  // [N, C, 4, 4, 4]
  s = forward(pass, layer2_, s, parameters);  // [N, 2C, 2, 2, 2]
  s = forward(pass, layer3_, s, parameters);  // [N, 4C, 1, 1, 1]
  s = flatten(pass, s);                       // [N, 4C]
  if (options_.enter == "fc1" && parameters)
    s = concatenate(pass, {s, parameters}, 1);                              // [N, 4C + parameters]
  if (pooled_) s = concatenate(pass, {s, pooled_->forward(pass, map)}, 1);  // [N, 4C + parameters + pooled]
  s = dropout(pass, fcbn1_->forward_relu(pass, fc1_->forward(pass, s)), options_.dropout);
  s = dropout(pass, fcbn2_->forward_relu(pass, fc2_->forward(pass, s)), options_.dropout);
  return fcbn3_->forward(pass, fc3_->forward(pass, s));  // [N, outputs]
}

}  // namespace umbra
