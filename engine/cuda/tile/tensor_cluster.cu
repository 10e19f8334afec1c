// Rung cuda_7_cluster: the block of cuda_6_specialised (tensor_specialised.h) launched in clusters, for
// results of few tiles. A cluster computes one or several tiles, each by some of its blocks. Each of these
// computes one part of the tile's slices and stores its sums in its own shared memory. Then each adds up its
// share of the sums of all of them, in order. This needs no workspace and no second kernel, and runs are
// bit-identical.
#include "cluster.h"
#include "engine/cuda/tile/tensor_specialised.h"

namespace umbra {
namespace {

// The sums of a tile's blocks, added in order. Shared memory holds the groups of four of a thread's sums
// thread by thread; the block with part r of the tile adds one of as many groups as there are parts, starting
// with the r-th.
template <class Tile>
struct ClusterSums {
  static constexpr int kFours = Tile::kSums / 4;
  float4 four[kFours][kMultipliers * kWarpgroup];
};

/// Adds up the sums of the tile's blocks. Returns which fours of sums this block then holds in total, as
/// bits. If the cluster has several blocks, the thread has then arrived at the cluster's barrier and has to wait
/// there before it ends, so that no block ends while others read its sums.
///
/// That arrival needs no release: nothing that precedes it has to be visible to other blocks, and a release
/// would wait for the stores to global memory. Only the loads must be over, and a relaxed arrival orders
/// nothing. bar.sync does: accesses before it have been performed for the threads that take part, and a load
/// has been performed when its value can no longer change, so the memory that it has read is not needed any
/// more (PTX ISA: "barrier.cluster", "bar", "membar"). The emulator performs a load at once and passes its tests
/// without that bar.sync; tools/sass finds loads that nothing waits for.
template <class Tile>
__device__ __forceinline__ unsigned add_in_cluster(const TileAt& at, TensorShared<Tile>& shared,
                                                   float (&sums)[Tile::kSums]) {
  using All = ClusterSums<Tile>;
  static_assert(sizeof(All) <= sizeof shared.stage && All::kFours <= 32);
  if (cluster_size() == 1) return ~0u;
  const auto part = static_cast<unsigned>(at.part), parts = static_cast<unsigned>(at.parts);
  const unsigned first = cluster_rank() - part;  // the block with the tile's first part
  unsigned fours = 0;
  for (unsigned f = part; f < All::kFours; f += parts) fours |= 1u << f;
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
    for (unsigned r = 0; r < parts; ++r) {
      const float4 four = cluster_load(&mine.four[f][thread], first + r);
      total.x += four.x, total.y += four.y, total.z += four.z, total.w += four.w;
    }
    sums[4 * f] = total.x, sums[4 * f + 1] = total.y, sums[4 * f + 2] = total.z, sums[4 * f + 3] = total.w;
  }
  named_barrier_sync(1, kMultipliers * kWarpgroup);
  cluster_arrive_relaxed();
  return fours;
}

template <class Tile>
__global__ void __launch_bounds__(kSpecialisedThreads, 1)
    tensor_cluster(const __grid_constant__ TensorArguments a, const __grid_constant__ TensorMap w,
                   const __grid_constant__ TensorMap x) {
  run_specialised<Tile>(
      a, w, x,
      [&](const TileAt& at, TensorShared<Tile>& shared, float(&sums)[Tile::kSums]) {
        const unsigned fours = add_in_cluster(at, shared, sums);
        for_each_two<Tile>(a, at, static_cast<int>(threadIdx.x),
                           [&](int k, int i, int r, int apart, bool second, int rows_apart) {
                             if ((fours >> (k / 4) & 1u) != 0)
                               put_two<Tile>(a, shared, nullptr, sums[k], sums[k + 1], i, r, apart, second,
                                             rows_apart);
                           });
        if (cluster_size() > 1) cluster_wait();
      },
      [] {
        if (cluster_size() > 1) {  // matches the barriers of the threads that multiply
          cluster_sync();
          cluster_arrive_relaxed();
          cluster_wait();
        }
      });
}

template <class Tile>
Grid cluster_grid(std::int64_t clusters, int size) {
  const auto height = static_cast<unsigned>(size);
  return {{static_cast<unsigned>(clusters), height},
          {kSpecialisedThreads},
          sizeof(TensorShared<Tile>),
          {1, height, 1}};
}

}  // namespace

void launch_tensor_cluster(const TensorLaunch& launched, void* stream) {
  with_tensor_tile(launched.product, launched.plan.shape, [&](auto tag) {
    using Chosen = typename decltype(tag)::Type;
    launch(tensor_cluster<Chosen>, cluster_grid<Chosen>(launched.plan.columns(), launched.plan.parts), stream,
           tensor_arguments(launched), tensor_map(boxes_of_w<Chosen>(launched)),
           tensor_map(boxes_of_x<Chosen>(launched)));
  });
}

bool runs_clusters(const TensorProduct& product, TensorShape shape, int size) {
  bool runs = false;
  with_tensor_tile(product, shape, [&](auto tag) {
    using Chosen = typename decltype(tag)::Type;
    runs = clusters_at_once(tensor_cluster<Chosen>, cluster_grid<Chosen>(1, size)) > 0;
  });
  return runs;
}

}  // namespace umbra
