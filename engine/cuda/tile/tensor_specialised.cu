// Rung cuda_6_specialised: every warp has a single task (tensor_specialised.h). There are six shapes of
// tiles, so that 200 channels or eight positions leave no part of a tile idle.
#include "engine/cuda/tile/tensor_specialised.h"

namespace umbra {
namespace {

template <class Tile>
__global__ void __launch_bounds__(kSpecialisedThreads, 1)
    tensor_specialised(const __grid_constant__ TensorArguments a, const __grid_constant__ TensorMap w,
                       const __grid_constant__ TensorMap x) {
  run_specialised<Tile>(
      a, w, x,
      [&](const TileAt& at, const TensorShared<Tile>& shared, const float(&sums)[Tile::kSums]) {
        store_sums(a, at, shared, sums);
      },
      [] {});
}

}  // namespace

void launch_tensor_specialised(const TensorLaunch& launched, void* stream) {
  with_tensor_tile(launched.product, launched.plan.shape, [&](auto tag) {
    using Chosen = typename decltype(tag)::Type;
    launch(tensor_specialised<Chosen>,
           tensor_grid(launched, kSpecialisedThreads, sizeof(TensorShared<Chosen>)), stream,
           tensor_arguments(launched), tensor_map(boxes_of_w<Chosen>(launched)),
           tensor_map(boxes_of_x<Chosen>(launched)));
  });
}

}  // namespace umbra
