#include "cluster.h"
#include "cuda_grid.h"
#include "mbarrier.h"
#include "tests/cuda/kernels/pipeline.h"
#include "tests/cuda/kernels/protocol.h"
#include "tma.h"

namespace umbra::cuda_test {
namespace {

constexpr int kWarpgroup = 128;

// By the block's first thread: `barrier` for one arrival, visible to all threads after the next barrier.
__device__ void init_one(Barrier& barrier) {
  if (threadIdx.x != 0) return;
  barrier_init(barrier, 1);
  barrier_init_fence();
}

struct BoxShared {
  alignas(1024) unsigned char bytes[64 << 10];
  Barrier full;
};
struct At {
  int at[5];
};

template <int kRank>
__global__ void copy_one(const __grid_constant__ TensorMap map, At at, unsigned bytes, unsigned char* to) {
  BoxShared& shared = shared_memory<BoxShared>();
  init_one(shared.full);
  __syncthreads();
  if (threadIdx.x == 0) {
    tma_prefetch(map);
    barrier_arrive_expect(shared.full, bytes);
    const int* c = at.at;
    if constexpr (kRank == 2) tma_load(shared.bytes, map, shared.full, c[0], c[1]);
    if constexpr (kRank == 3) tma_load(shared.bytes, map, shared.full, c[0], c[1], c[2]);
    if constexpr (kRank == 4) tma_load(shared.bytes, map, shared.full, c[0], c[1], c[2], c[3]);
    if constexpr (kRank == 5) tma_load(shared.bytes, map, shared.full, c[0], c[1], c[2], c[3], c[4]);
  }
  barrier_wait(shared.full, 0);
  for (unsigned i = threadIdx.x; i < bytes; i += blockDim.x) to[i] = shared.bytes[i];
}

}  // namespace

void copy_box(const BoxCase& box, const void* data, unsigned char* to, void* stream) {
  TensorMapSpec spec{data, box.element_bytes, box.rank, {}, {}, {}, box.swizzle};
  At at{};
  for (int d = 0; d < 5; ++d) {
    spec.extent[d] = box.extent[d];
    spec.box[d] = box.box[d];
    at.at[d] = box.at[d];
    if (d > 0) spec.pitch[d - 1] = box.pitch[d - 1];
  }
  const TensorMap map = tensor_map(spec);
  const Grid grid{{1}, {64}, sizeof(BoxShared)};
  if (box.rank == 2) launch(copy_one<2>, grid, stream, map, at, box.bytes(), to);
  if (box.rank == 3) launch(copy_one<3>, grid, stream, map, at, box.bytes(), to);
  if (box.rank == 4) launch(copy_one<4>, grid, stream, map, at, box.bytes(), to);
  if (box.rank == 5) launch(copy_one<5>, grid, stream, map, at, box.bytes(), to);
}

void multiply_in_pipeline(const void* a, const void* b, float* c, int rows, int columns, int k,
                          void* stream) {
  launch_pipeline<Mistake::kNone>(a, b, c, rows, columns, k, stream);
}

namespace {

struct ReduceShared {
  float4 mine[kReduced / 4];
};

// Every block of a cluster adds its share of what they have; the shares differ by one if they cannot be equal.
__global__ void reduce(const float* x, float* sum) {
  ReduceShared& shared = shared_memory<ReduceShared>();
  const unsigned all = kReduced / 4, rank = cluster_rank(), size = cluster_size();
  const unsigned cluster = blockIdx.x / size;
  for (unsigned i = threadIdx.x; i < all; i += blockDim.x)
    shared.mine[i] = *reinterpret_cast<const float4*>(x + blockIdx.x * kReduced + 4 * i);
  cluster_sync();
  for (unsigned i = rank * all / size + threadIdx.x; i < (rank + 1) * all / size; i += blockDim.x) {
    float4 total = make_float4(0, 0, 0, 0);
    for (unsigned other = 0; other < size; ++other) {
      const float4 theirs = cluster_load(&shared.mine[i], other);
      total = make_float4(total.x + theirs.x, total.y + theirs.y, total.z + theirs.z,
                          total.w + cluster_load(&shared.mine[i].w, other));
    }
    *reinterpret_cast<float4*>(sum + cluster * kReduced + 4 * i) = total;
  }
  __syncthreads();  // all loads of the block have been performed
  cluster_arrive_relaxed();
  cluster_wait();
}

struct ShareShared {
  alignas(1024) float box[2][kShareRows * kShareColumns];
  Barrier full, empty;
};

// Each block fetches the box of its own number for both blocks. A block may fetch again once both have
// arrived at its barrier to show that they are done with the previous box.
__global__ void share(const __grid_constant__ TensorMap map, float* to, int rounds) {
  ShareShared& shared = shared_memory<ShareShared>();
  const unsigned rank = cluster_rank();
  if (threadIdx.x == 0) {
    barrier_init(shared.full, 1);
    barrier_init(shared.empty, 2);
    barrier_init_fence();
  }
  cluster_sync();
  for (int round = 0; round < rounds; ++round) {
    const unsigned parity = static_cast<unsigned>(round) & 1;
    if (threadIdx.x == 0) {
      barrier_arrive_expect(shared.full, sizeof shared.box);
      barrier_wait(shared.empty, parity ^ 1);
      tma_load_multicast(shared.box[rank], map, shared.full, std::uint16_t{3}, 0,
                         (2 * round + static_cast<int>(rank)) * kShareRows);
    }
    barrier_wait(shared.full, parity);
    float* mine = to + (round * 2 + static_cast<int>(rank)) * 2 * kShareRows * kShareColumns;
    for (unsigned i = threadIdx.x; i < 2 * kShareRows * kShareColumns; i += blockDim.x)
      mine[i] = (&shared.box[0][0])[i];
    __syncthreads();
    if (threadIdx.x < 2) barrier_arrive_remote(shared.empty, threadIdx.x);
  }
  cluster_sync();
}

struct BulkShared {
  float4 part[kBulk / 4];
  Barrier full;
};

__global__ void bulk(const float* x, float* y) {
  BulkShared& shared = shared_memory<BulkShared>();
  init_one(shared.full);
  __syncthreads();
  const float* from = x + blockIdx.x * kBulk;
  if (threadIdx.x == 0) {
    barrier_arrive_expect(shared.full, sizeof shared.part);
    bulk_load(&shared.part[0], from, 16, shared.full);
    bulk_load(&shared.part[1], from + 4, 48, shared.full);
    bulk_load(&shared.part[4], from + 16, sizeof shared.part - 64, shared.full);
  }
  barrier_wait(shared.full, 0);
  for (unsigned i = threadIdx.x; i < kBulk / 4; i += blockDim.x)
    *reinterpret_cast<float4*>(y + blockIdx.x * kBulk + 4 * i) = shared.part[i];
}

struct TurnsShared {
  float value[kWarpgroup];
};

__global__ void turns(const float* x, float* y, int rounds) {
  TurnsShared& shared = shared_memory<TurnsShared>();
  const unsigned group = threadIdx.x / kWarpgroup, i = threadIdx.x % kWarpgroup;
  if (group == 0) shared.value[i] = x[i];
  __syncthreads();
  for (int round = 0; round < rounds; ++round) {
    if (group == 0) {
      shared.value[i ^ 1] = shared.value[i ^ 1] * 2 + 1;
      named_barrier_sync(1, kPingPong);
      named_barrier_sync(2, kPingPong);
    } else {
      named_barrier_sync(1, kPingPong);
      shared.value[i] = shared.value[i] * 2 + 1;
      named_barrier_sync(2, kPingPong);
    }
  }
  if (group == 1) y[i] = shared.value[i];
}

}  // namespace

void reduce_in_clusters(const float* x, float* sum, int clusters, int size, void* stream) {
  // Two blocks fill a multiprocessor, so that the next one soon takes over the memory of one that ends, and writes to it.
  constexpr std::size_t kShared = 96 << 10;
  static_assert(kShared >= sizeof(ReduceShared));
  launch(reduce, {{static_cast<unsigned>(clusters * size)}, {64}, kShared, {static_cast<unsigned>(size)}},
         stream, x, sum);
}

void share_in_cluster(const float* x, float* to, int rounds, void* stream) {
  const auto rows = static_cast<std::uint64_t>(2 * rounds * kShareRows);
  const TensorMap map = tensor_map(
      {x, 4, 2, {kShareColumns, rows}, {kShareColumns * 4}, {kShareColumns, kShareRows}, Swizzle::kNone});
  launch(share, {{2}, {64}, sizeof(ShareShared), {2}}, stream, map, to, rounds);
}

void copy_in_bulk(const float* x, float* y, int blocks, void* stream) {
  launch(bulk, {{static_cast<unsigned>(blocks)}, {96}, sizeof(BulkShared)}, stream, x, y);
}

void take_turns(const float* x, float* y, int rounds, void* stream) {
  launch(turns, {{1}, {kPingPong}, sizeof(TurnsShared)}, stream, x, y, rounds);
}

}  // namespace umbra::cuda_test
