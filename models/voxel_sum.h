// A function of every voxel, summed over the box: what a box holds, wherever it is. A sum of such functions counts
// halos above thresholds, which a map of strided convolutions does badly.
//
//   f(v) = ReLU(W2 ReLU(W1 v + b1) + b2)  [E],    output = BN(sum over voxels of f(v) - f(0))
//
// f(0) is subtracted, so that an empty voxel contributes nothing: otherwise the empty voxels, more than 99 of 100,
// would make up the sum and hide the halos. A sum and not a mean over the halos, because their number matters. The
// batch norm brings sums of hundreds of halos to the size of the other inputs of fc1.
#pragma once

#include "engine/nn/layers.h"

namespace umbra {

/// The network above, of width E. Its parameters are those of the children conv1, conv2 and bn.
class VoxelSum final : public Module {
 public:
  /// For cubes of `voxels` per side with `in_channels` features each.
  VoxelSum(Build& build, std::int64_t in_channels, std::int64_t width, std::int64_t voxels);
  /// x [N, in_channels, V, V, V], data without gradient -> [N, E]
  Var forward(Pass& pass, const Var& x) override;

 private:
  Var embedded(Pass& pass, const Var& x);  // f(v) at every voxel

  std::shared_ptr<Conv> conv1_, conv2_;
  std::shared_ptr<BatchNorm> bn_;
  Tensor empty_;                 // a voxel without halos, [1, in_channels, 1, 1, 1]
  Tensor count_, minus_, zero_;  // V^3, -1 and 0 for each of E
};

}  // namespace umbra
