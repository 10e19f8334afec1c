// Rung cuda_7_cluster: the block of cuda_6_specialised (tensor_specialised.h) launched in clusters, for
// results of few tiles. Each block of a cluster computes one part of a tile's slices and stores its sums in
// its own shared memory. Then each block adds up its share of the sums of all blocks, in order. This needs no
// workspace and no second kernel, and runs are bit-identical.
#include "cluster.h"
#include "engine/cuda/tile/tensor_specialised.h"

namespace umbra {
namespace {

// The sums of a cluster's blocks, added in order. Shared memory holds the groups of four of a thread's sums
// thread by thread; block r of the cluster adds every size-th group, starting with the r-th.
template <class Tile>
struct ClusterSums {
  static constexpr int kFours = Tile::kSums / 4;
  float4 four[kFours][kMultipliers * kWarpgroup];
};

/// Adds up the sums of the cluster's blocks. Returns which fours of sums this block then holds in total, as bits.
template <class Tile>
__device__ __forceinline__ unsigned add_in_cluster(TensorShared<Tile>& shared, float (&sums)[Tile::kSums]) {
  using All = ClusterSums<Tile>;
  static_assert(sizeof(All) <= sizeof shared.stage && All::kFours <= 32);
  const unsigned size = cluster_size();
  if (size == 1) return ~0u;
  unsigned fours = 0;
  for (unsigned f = cluster_rank(); f < All::kFours; f += size) fours |= 1u << f;
  auto& mine = *reinterpret_cast<All*>(&shared.stage);
  const int thread = static_cast<int>(threadIdx.x);
  named_barrier_sync(1, kMultipliers * kWarpgroup);  // before this barrier the stages hold operands
#pragma unroll
  for (int f = 0; f < All::kFours; ++f) {
    mine.four[f][thread] = make_float4(sums[4 * f], sums[4 * f + 1], sums[4 * f + 2], sums[4 * f + 3]);
  }
  cluster_sync();
#pragma unroll
  for (int f = 0; f < All::kFours; ++f) {
    if ((fours >> f & 1u) == 0) continue;
    float4 total = make_float4(0, 0, 0, 0);
    for (unsigned r = 0; r < size; ++r) {
      const float4 four = cluster_load(&mine.four[f][thread], r);
      total.x += four.x, total.y += four.y, total.z += four.z, total.w += four.w;
    }
    sums[4 * f] = total.x, sums[4 * f + 1] = total.y, sums[4 * f + 2] = total.z, sums[4 * f + 3] = total.w;
  }
  return fours;
}

template <class Tile>
__global__ void __launch_bounds__(kSpecialisedThreads, 1)
    tensor_cluster(const __grid_constant__ TensorArguments a, const __grid_constant__ TensorMap w,
                   const __grid_constant__ TensorMap x) {
  run_specialised<Tile>(
      a, w, x,
      [&](const TileAt& at, TensorShared<Tile>& shared, float(&sums)[Tile::kSums]) {
        const unsigned fours = add_in_cluster(shared, sums);
        for_each_two<Tile>(a, at, static_cast<int>(threadIdx.x),
                           [&](int k, int i, int r, int apart, bool second, int rows_apart) {
                             if ((fours >> (k / 4) & 1u) != 0)
                               put_two<Tile>(a, shared, nullptr, sums[k], sums[k + 1], i, r, apart, second,
                                             rows_apart);
                           });
        if (cluster_size() > 1) cluster_sync();  // no block ends while others read
      },
      [] {
        if (cluster_size() > 1) {  // matches the barriers of the threads that multiply
          cluster_sync();
          cluster_sync();
        }
      });
}

}  // namespace

void launch_tensor_cluster(const TensorLaunch& launched, void* stream) {
  with_tensor_tile(launched.product, launched.plan.shape, [&](auto tag) {
    using Chosen = typename decltype(tag)::Type;
    Grid grid = tensor_grid(launched, kSpecialisedThreads, sizeof(TensorShared<Chosen>));
    grid.cluster = {1, static_cast<unsigned>(launched.plan.parts), 1};
    launch(tensor_cluster<Chosen>, grid, stream, tensor_arguments(launched),
           tensor_map(boxes_of_w<Chosen>(launched)), tensor_map(boxes_of_x<Chosen>(launched)));
  });
}

}  // namespace umbra
