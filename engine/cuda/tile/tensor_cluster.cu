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

template <class Tile>
__device__ void add_in_cluster(const TensorArguments& a, const TileAt& at, TensorShared<Tile>& shared,
                               float (&sums)[Tile::kSums]) {
  auto& mine = *reinterpret_cast<ClusterSums<Tile>*>(&shared.stage);
  static_assert(sizeof mine <= sizeof shared.stage);
  const int thread = static_cast<int>(threadIdx.x);
  const unsigned size = cluster_size(), rank = cluster_rank();
  named_barrier_sync(1, kMultipliers * kWarpgroup);  // before this barrier the stages hold operands
#pragma unroll
  for (int f = 0; f < ClusterSums<Tile>::kFours; ++f) {
    mine.four[f][thread] = make_float4(sums[4 * f], sums[4 * f + 1], sums[4 * f + 2], sums[4 * f + 3]);
  }
  cluster_sync();
#pragma unroll
  for (int f = 0; f < ClusterSums<Tile>::kFours; ++f) {
    if (static_cast<unsigned>(f) % size != rank) continue;
    float4 total = make_float4(0, 0, 0, 0);
    for (unsigned r = 0; r < size; ++r) {
      const float4 four = cluster_load(&mine.four[f][thread], r);
      total.x += four.x, total.y += four.y, total.z += four.z, total.w += four.w;
    }
    sums[4 * f] = total.x, sums[4 * f + 1] = total.y, sums[4 * f + 2] = total.z, sums[4 * f + 3] = total.w;
  }
  for_each_two<Tile>(a, at, thread, [&](int k, int i, int r, int apart, bool second, int rows_apart) {
    if (static_cast<unsigned>(k / 4) % size == rank)
      put_two<Tile>(a, shared, nullptr, sums[k], sums[k + 1], i, r, apart, second, rows_apart);
  });
  cluster_sync();  // no block ends while others read
}

template <class Tile>
__global__ void __launch_bounds__(kSpecialisedThreads, 1)
    tensor_cluster(const __grid_constant__ TensorArguments a, const __grid_constant__ TensorMap w,
                   const __grid_constant__ TensorMap x) {
  run_specialised<Tile>(
      a, w, x,
      [&](const TileAt& at, TensorShared<Tile>& shared, float(&sums)[Tile::kSums]) {
        if (cluster_size() > 1) {
          add_in_cluster(a, at, shared, sums);
        } else {
          store_sums(a, at, shared, sums);
        }
      },
      [] {
        if (cluster_size() > 1) {  // matches the barriers of add_in_cluster()
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
