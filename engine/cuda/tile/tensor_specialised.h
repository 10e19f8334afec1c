// A block whose warps have a single task each, for the rungs cuda_6_specialised and cuda_7_cluster. A
// producer thread only starts copies, as far ahead as there are stages; two warpgroups only multiply. No
// thread waits for the whole block any more: a stage has two mbarriers, "full" (its bytes have arrived) and
// "empty" (the last multiplication that reads it is done), and a warpgroup starts the next slice while the
// tensor cores still work on the current one. The producer's warpgroup releases most of its registers to the
// multiplying warpgroups.
#pragma once

#include "engine/cuda/tile/tensor_multiply.h"
#include "engine/cuda/tile/tensor_slices.h"
#include "engine/cuda/tile/tensor_sums.h"

namespace umbra {

inline constexpr int kSpecialisedThreads = (kMultipliers + 1) * kWarpgroup;
inline constexpr int kWarpsThatMultiply = kMultipliers * kWarpgroup / static_cast<int>(kWarp);
// Every thread starts with 65,536 / 384 = 168 registers (a multiple of 8).
inline constexpr int kRegistersToCopy = 40, kRegistersToMultiply = 232;
static_assert(kRegistersToCopy * kWarpgroup + kRegistersToMultiply * kMultipliers * kWarpgroup <= 65536);

template <class Tile>
__device__ void produce(const TensorArguments& a, const TensorMap& w, const TensorMap& x, const TileAt& at,
                        TensorShared<Tile>& shared) {
  unsigned parity = 1;  // a wait on a new barrier returns at once
  int stage = 0;
#pragma unroll 1
  for (TensorSlices<Tile> slices(a, at, shared); slices.more(); slices.next()) {
    const TensorTap<Tile> entry = slices.entry();  // read while the barrier is waited for
    barrier_wait(shared.empty[stage], parity);
    fetch_slice<Tile>(shared.stage[stage], shared.full[stage], w, x, entry, slices.first_step(), at);
    if (++stage == Tile::kStages) stage = 0, parity ^= 1;
  }
}

template <class Tile>
__device__ __forceinline__ void consume(const TensorArguments& a, const TileAt& at, int warpgroup,
                                        TensorShared<Tile>& shared, float (&sums)[Tile::kSums]) {
  const bool signals = threadIdx.x % kWarp == 0;
  const SliceOperands first = operands_of<Tile>(shared_address(shared.stage[0]), warpgroup);
  unsigned parity = 0;
  int stage = 0, last = -1;
  for (TensorSlices<Tile> slices(a, at, shared); slices.more(); slices.next()) {
    const unsigned work = work_of(slices, a.walk, at, warpgroup);  // read while the barrier is waited for
    barrier_wait(shared.full[stage], parity);
    multiply_slice<Tile>(sums, operands_of<Tile>(first, stage), warpgroup, work, slices.multiplications());
    wgmma_wait<1>();
    if (last >= 0 && signals) barrier_arrive(shared.empty[last]);
    last = stage;
    if (++stage == Tile::kStages) stage = 0, parity ^= 1;
  }
  wgmma_wait<0>(sums);
}

/// Runs the whole block. The multiplying threads call use_sums(at, shared, sums) after their last product,
/// the threads of the producer's warpgroup call otherwise().
template <class Tile, class UseSums, class Otherwise>
__device__ __forceinline__ void run_specialised(const TensorArguments& a, const TensorMap& w,
                                                const TensorMap& x, const UseSums& use_sums,
                                                const Otherwise& otherwise) {
  if constexpr (!kHopperCode) return trap();
  auto& shared = shared_memory<TensorShared<Tile>>();
  const int thread = static_cast<int>(threadIdx.x);
  const TileAt at = tile_of_block<Tile>(a);
  if (thread == 0) {
    tma_prefetch(w);
    tma_prefetch(x);
    for (Barrier& full : shared.full) barrier_init(full, 1);
    for (Barrier& empty : shared.empty) barrier_init(empty, kWarpsThatMultiply);
    barrier_init_fence();
  }
  list_taps(a.walk, at, shared);
  load_scales(a, at, shared);
  __syncthreads();

  const int warp = __shfl_sync(kFullWarp, thread / static_cast<int>(kWarp), 0);
  if (warp < kWarpsThatMultiply) {
    register_take<kRegistersToMultiply>();
    float sums[Tile::kSums] = {};
    consume(a, at, warp * static_cast<int>(kWarp) / kWarpgroup, shared, sums);
    use_sums(at, shared, sums);
  } else {
    register_release<kRegistersToCopy>();
    if (warp == kWarpsThatMultiply && one_of_warp()) produce(a, w, x, at, shared);
    __syncwarp();
    otherwise();
  }
}

/// Calls body(TileTag<Tile>()) with the tile of a product in any of the six shapes.
template <class Body>
void with_tensor_tile(const TensorProduct& product, TensorShape shape, const Body& body) {
  switch (shape) {
    case TensorShape::kRows64:
      return with_tensor_tile<TensorShape::kRows64>(product, body);
    case TensorShape::kRows128:
      return with_tensor_tile<TensorShape::kRows128>(product, body);
    case TensorShape::kRows200:
      return with_tensor_tile<TensorShape::kRows200>(product, body);
    case TensorShape::kRows256:
      return with_tensor_tile<TensorShape::kRows256>(product, body);
    case TensorShape::kUnits1:
      return with_tensor_tile<TensorShape::kUnits1>(product, body);
    case TensorShape::kUnits8:
      return with_tensor_tile<TensorShape::kUnits8>(product, body);
  }
}

}  // namespace umbra
