// Rung cuda_6_specialised: warps have one job each. A producer thread does nothing but start copies, as far
// ahead as there are stages; two warpgroups do nothing but multiply. Nobody waits for the whole block any
// more: a stage has two mbarriers, "full" (its bytes are there) and "empty" (the last multiplication that
// reads it is done), and a warpgroup starts on the next slice while the tensor cores still work on this one.
// Registers go where they are needed: the producer's warpgroup gives up most of its own. Tiles come in six
// shapes, so that 200 channels or eight positions leave nothing idle.
//
// Rung cuda_7_cluster is the same kernel launched in clusters, for results of few tiles: the blocks of a
// cluster take one part each of a tile's slices, put their sums into their own shared memory, and each adds
// up, block by block in order, what all have of its share. No workspace and no second kernel; the same bits
// in every run.
#include "cluster.h"
#include "engine/cuda/tensor_tile.h"

namespace umbra {
namespace {

constexpr int kThreads = (kMultipliers + 1) * kWarpgroup;
constexpr int kWarpsThatMultiply = kMultipliers * kWarpgroup / static_cast<int>(kWarp);
// Of 65,536 / 384 = 168 registers that every thread starts with.
constexpr int kRegistersToCopy = 40, kRegistersToMultiply = 232;
static_assert(kRegistersToCopy * kWarpgroup + kRegistersToMultiply * kMultipliers * kWarpgroup <= 65536);

template <class Tile>
__device__ void produce(const TensorArguments& a, const TensorMap& w, const TensorMap& x, const TileAt& at,
                        TensorShared<Tile>& shared) {
  unsigned parity = 1;  // a new barrier passes
  int stage = 0;
  for (TensorSlices<Tile> slices(a, at, shared); slices.more(); slices.next()) {
    barrier_wait(shared.empty[stage], parity);
    fetch_slice(shared.stage[stage], shared.full[stage], w, x, slices, a.walk, at);
    if (++stage == Tile::kStages) stage = 0, parity ^= 1;
  }
}

template <class Tile>
__device__ __forceinline__ void consume(const TensorArguments& a, const TileAt& at,
                                        TensorShared<Tile>& shared, float (&sums)[Tile::kSums]) {
  const int thread = static_cast<int>(threadIdx.x), warpgroup = thread / kWarpgroup;
  const bool tells = thread % static_cast<int>(kWarp) == 0;
  unsigned parity = 0;
  int stage = 0, last = -1;
  for (TensorSlices<Tile> slices(a, at, shared); slices.more(); slices.next()) {
    barrier_wait(shared.full[stage], parity);
    multiply_slice<Tile>(sums, shared_address(shared.stage[stage]), warpgroup,
                         work_of(slices, a.walk, at, warpgroup), slices.multiplications());
    wgmma_commit();
    wgmma_wait<1>();
    if (last >= 0 && tells) barrier_arrive(shared.empty[last]);
    last = stage;
    if (++stage == Tile::kStages) stage = 0, parity ^= 1;
  }
  wgmma_wait<0>(sums);
}

// The sums of a cluster's blocks, added in order. Fours of a thread's sums lie in shared memory thread by
// thread, and block r of the cluster takes every size-th four from the r-th on.
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
  named_barrier_sync(1, kMultipliers * kWarpgroup);  // until then the stages hold operands
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
  cluster_sync();  // nobody leaves while others read
}

template <class Tile>
__global__ void __launch_bounds__(kThreads, 1)
    tensor_specialised(const __grid_constant__ TensorArguments a, const __grid_constant__ TensorMap w,
                       const __grid_constant__ TensorMap x) {
  auto& shared = shared_memory<TensorShared<Tile>>();
  const int thread = static_cast<int>(threadIdx.x);
  const bool multiplies = thread < kMultipliers * kWarpgroup;
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

  if (multiplies) {
    register_take<kRegistersToMultiply>();
    float sums[Tile::kSums] = {};
    consume(a, at, shared, sums);
    if (cluster_size() > 1) {
      add_in_cluster(a, at, shared, sums);
    } else {
      store_sums(a, at, shared, sums);
    }
  } else {
    register_release<kRegistersToCopy>();
    if (thread == kMultipliers * kWarpgroup) produce(a, w, x, at, shared);
    if (cluster_size() > 1) {  // the barriers of add_in_cluster()
      cluster_sync();
      cluster_sync();
    }
  }
}

}  // namespace

void launch_tensor_specialised(const TensorLaunch& launched, bool clusters, void* stream) {
  const auto start = [&](auto tag) {
    using Chosen = typename decltype(tag)::Type;
    Grid grid = tensor_grid(launched, kThreads, sizeof(TensorShared<Chosen>));
    if (clusters) grid.cluster = {1, static_cast<unsigned>(launched.plan.parts), 1};
    launch(tensor_specialised<Chosen>, grid, stream, tensor_arguments(launched),
           tensor_map(spec_of_w<Chosen>(launched)), tensor_map(spec_of_x<Chosen>(launched)));
  };
  switch (launched.plan.shape) {
    case TensorShape::kRows64:
      return with_tensor_tile<TensorShape::kRows64>(launched.product, start);
    case TensorShape::kRows128:
      return with_tensor_tile<TensorShape::kRows128>(launched.product, start);
    case TensorShape::kRows200:
      return with_tensor_tile<TensorShape::kRows200>(launched.product, start);
    case TensorShape::kRows256:
      return with_tensor_tile<TensorShape::kRows256>(launched.product, start);
    case TensorShape::kUnits1:
      return with_tensor_tile<TensorShape::kUnits1>(launched.product, start);
    case TensorShape::kUnits8:
      return with_tensor_tile<TensorShape::kUnits8>(launched.product, start);
  }
}

}  // namespace umbra
