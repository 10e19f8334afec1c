// Rung cuda_5_tma: the tensor memory accelerator copies. One thread specifies a box of a packed operand, and
// the hardware fetches it, swizzled, with zeros outside the tensor, while all warps multiply; an mbarrier per
// stage counts the bytes that have arrived. Several slices are in flight at any time, and no thread computes
// addresses. Two waits remain: all threads must have finished with a stage before it is filled again, and the
// thread that starts the copies also multiplies.
#include "engine/cuda/tile/tensor_multiply.h"
#include "engine/cuda/tile/tensor_slices.h"
#include "engine/cuda/tile/tensor_sums.h"

namespace umbra {
namespace {

constexpr int kThreads = kMultipliers * kWarpgroup;

template <class Tile>
__global__ void __launch_bounds__(kThreads, 1)
    tensor_tma(const __grid_constant__ TensorArguments a, const __grid_constant__ TensorMap w,
               const __grid_constant__ TensorMap x) {
  if constexpr (!kHopperCode) return trap();
  auto& shared = shared_memory<TensorShared<Tile>>();
  const int thread = static_cast<int>(threadIdx.x), warpgroup = thread / kWarpgroup;
  const TileAt at = tile_of_block<Tile>(a);
  if (thread == 0) {
    tma_prefetch(w);
    tma_prefetch(x);
    for (Barrier& full : shared.full) barrier_init(full, 1);
    barrier_init_fence();
  }
  list_taps(a.walk, at, shared);
  load_scales(a, at, shared);
  __syncthreads();

  float sums[Tile::kSums] = {};
  TensorSlices<Tile> slices(a, at, shared), ahead = slices;
  const auto fetch = [&](int stage) {
    if (thread == 0)
      fetch_slice<Tile>(shared.stage[stage], shared.full[stage], w, x, ahead.entry(), ahead.first_step(), at);
    ahead.next();
  };
  for (int stage = 0; stage < Tile::kStages - 1 && ahead.more(); ++stage) fetch(stage);
  unsigned parity = 0;
  for (int stage = 0; slices.more(); slices.next()) {
    // Into the stage that was multiplied last, which all threads have finished reading.
    if (ahead.more()) fetch(stage == 0 ? Tile::kStages - 1 : stage - 1);
    barrier_wait(shared.full[stage], parity);
    multiply_slice<Tile>(sums, operands_of<Tile>(shared_address(shared.stage[stage]), warpgroup), warpgroup,
                         work_of(slices, a.walk, at, warpgroup), slices.multiplications());
    wgmma_wait<0>(sums);
    __syncthreads();
    if (++stage == Tile::kStages) stage = 0, parity ^= 1;
  }
  store_sums(a, at, shared, sums);
}

}  // namespace

void launch_tensor_tma(const TensorLaunch& launched, void* stream) {
  with_tensor_tile<TensorShape::kRows128>(launched.product, [&](auto tag) {
    using Chosen = typename decltype(tag)::Type;
    launch(tensor_tma<Chosen>, tensor_grid(launched, kThreads, sizeof(TensorShared<Chosen>)), stream,
           tensor_arguments(launched), tensor_map(boxes_of_w<Chosen>(launched)),
           tensor_map(boxes_of_x<Chosen>(launched)));
  });
}

}  // namespace umbra
