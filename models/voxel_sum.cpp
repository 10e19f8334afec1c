#include "models/voxel_sum.h"

#include "engine/nn/init.h"

namespace umbra {

VoxelSum::VoxelSum(Build& build, std::int64_t in_channels, std::int64_t width, std::int64_t voxels)
    : empty_(constant_tensor(build, {1, in_channels, 1, 1, 1}, 0)),
      count_(constant_tensor(build, {width}, static_cast<double>(voxels * voxels * voxels))),
      minus_(constant_tensor(build, {width}, -1)),
      zero_(constant_tensor(build, {width}, 0)) {
  Conv::Options options{
      .rank = 3, .in_channels = in_channels, .out_channels = width, .extent = voxels, .kernel = 1};
  options.bias = true;
  conv1_ = add_child("conv1", std::make_shared<Conv>(build, options));
  options.in_channels = width;
  conv2_ = add_child("conv2", std::make_shared<Conv>(build, options));
  bn_ = add_child("bn", std::make_shared<BatchNorm>(build, width));
}

Var VoxelSum::embedded(Pass& pass, const Var& x) {
  return relu(pass, conv2_->forward(pass, relu(pass, conv1_->forward(pass, x))));
}

Var VoxelSum::forward(Pass& pass, const Var& x) {
  const std::int64_t width = count_.count();
  const Var of_empty =
      reshape(pass, affine(pass, flatten(pass, embedded(pass, constant(empty_))), minus_, zero_), {width});
  const Var mean =
      add_bias(pass, mean_pool(pass, embedded(pass, x)), of_empty);  // [N, E], less that of nothing
  return bn_->forward(pass, affine(pass, flatten(pass, mean), count_, zero_));
}

}  // namespace umbra
