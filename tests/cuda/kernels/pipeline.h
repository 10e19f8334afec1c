// A matrix product as the fast kernels do it: one warp fetches boxes of both operands into a ring of stages,
// a warpgroup multiplies them, and two barriers per stage pass it back and forth. Small, and with a choice of
// mistakes: without any it must work on a GPU, and with each of them the emulator must fail.
#pragma once

#include "cuda_grid.h"
#include "mbarrier.h"
#include "tma.h"
#include "wgmma.h"

namespace umbra::cuda_test {

enum class Mistake {
  kNone,
  kArrivesTwice,      // two lanes of a warp give a stage back instead of one
  kExpectsTooFew,     // half of a stage's bytes
  kExpectsTooMany,    // twice a stage's bytes
  kWrongParity,       // the producer waits as the consumers do
  kStaleParity,       // the consumers always wait for phase 0
  kRefillsEarly,      // the producer does not wait for consumers
  kReleasesEarly,     // a stage is given back before the wgmmas that read it are waited for
  kReadsEarly,        // sums are read before the wait
  kWritesEarly,       // sums are written before the wait
  kNeverWaits,        // and the block ends
  kNoWgmmaFence,      //
  kOutside,           // a box is copied past the end of shared memory
  kMisplacedBox,      // a box is copied between two atoms
  kMisplacedOperand,  // a descriptor that begins in the middle of an atom
  kOperandOutside,    // a descriptor that points outside shared memory
  kWarpMissing,       // one of four warps leaves out a wgmma
  kWarpsDiffer,       // one of four warps multiplies something else
  kNoInit,            // a barrier is not initialised
  kNoInitFence,       //
  kNoSyncAfterInit,   //
  kUnwaitedCopy,      // nothing waits for the last copy
};

inline constexpr int kPipeRows = 64, kPipeColumns = 64, kPipeSteps = 64;  // of a tile; steps of a stage
inline constexpr int kPipeThreads = 160;                                  // a warpgroup, and the producer

struct PipeShared {
  static constexpr int kStages = 2, kBytes = kPipeRows * kPipeSteps * 2;
  alignas(1024) unsigned char a[kStages][kBytes], b[kStages][kBytes];
  Barrier full[kStages], empty[kStages];
};

template <Mistake kMistake>
__device__ void produce(PipeShared& shared, const TensorMap& a, const TensorMap& b, int slices) {
  for (int i = 0; i < slices; ++i) {
    const int stage = i % PipeShared::kStages;
    const unsigned parity = i / PipeShared::kStages & 1;
    if (kMistake != Mistake::kRefillsEarly)
      barrier_wait(shared.empty[stage], kMistake == Mistake::kWrongParity ? parity : parity ^ 1);
    const unsigned bytes = 2 * PipeShared::kBytes;
    barrier_arrive_expect(shared.full[stage], kMistake == Mistake::kExpectsTooFew    ? bytes / 2
                                              : kMistake == Mistake::kExpectsTooMany ? 2 * bytes
                                                                                     : bytes);
    const int first = i * kPipeSteps, tile = static_cast<int>(blockIdx.x);
    unsigned char* to = kMistake == Mistake::kOutside        ? shared.b[stage] + PipeShared::kBytes
                        : kMistake == Mistake::kMisplacedBox ? shared.a[stage] + 512
                                                             : shared.a[stage];
    tma_load(to, a, shared.full[stage], first, tile * kPipeRows);
    tma_load(shared.b[stage], b, shared.full[stage], first, static_cast<int>(blockIdx.y) * kPipeColumns);
  }
}

template <Mistake kMistake>
__device__ void consume(PipeShared& shared, float* c, int slices, int rows, int columns) {
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  float d[kPipeColumns / 2];
  for (int i = 0; i < slices; ++i) {
    const int stage = i % PipeShared::kStages;
    const unsigned parity = kMistake == Mistake::kStaleParity ? 0 : i / PipeShared::kStages & 1;
    barrier_wait(shared.full[stage], parity);
    unsigned a_at = shared_address(shared.a[stage]);
    if (kMistake == Mistake::kMisplacedOperand) a_at += 512;
    if (kMistake == Mistake::kOperandOutside) a_at += 4 * PipeShared::kBytes;
    const auto a = wgmma_descriptor(a_at, 0, 1024, Swizzle::k128);
    const auto b = wgmma_descriptor(shared_address(shared.b[stage]), 0, 1024, Swizzle::k128);
    if (kMistake != Mistake::kNoWgmmaFence) wgmma_fence(d);
#pragma unroll
    for (unsigned k = 0; k < 4; ++k) {
      constexpr unsigned kStep = 32 >> 4;  // bytes of a step, as descriptors count
      if (kMistake == Mistake::kWarpMissing && warp == 2 && k == 3 && i == slices - 1) continue;
      const unsigned other = kMistake == Mistake::kWarpsDiffer && warp == 2 ? 1 : 0;
      wgmma<Precision::kBf16, kPipeColumns, Major::kK, Major::kK>(d, a + kStep * k, b + kStep * (k ^ other),
                                                                  i > 0 || k > 0);
    }
    wgmma_commit();
    if (kMistake == Mistake::kWritesEarly) d[1] = 0;
    if (kMistake != Mistake::kReleasesEarly && kMistake != Mistake::kNeverWaits &&
        kMistake != Mistake::kReadsEarly)
      wgmma_wait<0>(d);
    if (thread % 32 == 0 || (kMistake == Mistake::kArrivesTwice && thread % 32 == 1))
      barrier_arrive(shared.empty[stage]);
  }
  if (kMistake == Mistake::kReleasesEarly) wgmma_wait<0>(d);
  for (int i = 0; i < kPipeColumns / 2; ++i) {
    const Place2 at = wgmma_d_place(thread, i);
    const int row = static_cast<int>(blockIdx.x) * kPipeRows + at.row;
    const int column = static_cast<int>(blockIdx.y) * kPipeColumns + at.column;
    if (row < rows && column < columns) c[row * columns + column] = d[i];
  }
  if (kMistake == Mistake::kReadsEarly) wgmma_wait<0>(d);
}

/// c[row][column] = sum over k of a[row][k] b[column][k], in bf16; blocks are tiles of rows, of columns.
template <Mistake kMistake>
__global__ void __launch_bounds__(kPipeThreads, 1)
    pipeline(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, float* c, int slices,
             int rows, int columns) {
  PipeShared& shared = shared_memory<PipeShared>();
  if (threadIdx.x == 0) {
    for (int i = 0; i < PipeShared::kStages; ++i) {
      barrier_init(shared.full[i], 1);
      if (kMistake != Mistake::kNoInit) barrier_init(shared.empty[i], 4);
    }
    if (kMistake != Mistake::kNoInitFence) barrier_init_fence();
  }
  if (kMistake != Mistake::kNoSyncAfterInit) __syncthreads();
  if (threadIdx.x < 128) {
    consume<kMistake>(shared, c, slices, rows, columns);
  } else if (one_of_warp()) {
    produce<kMistake>(shared, a, b, slices);
    if (kMistake == Mistake::kUnwaitedCopy) {
      barrier_wait(shared.empty[0], 0);  // after five slices
      barrier_arrive_expect(shared.full[0], PipeShared::kBytes);
      tma_load(shared.a[0], a, shared.full[0], 0, 0);
    }
  }
}

inline TensorMap pipe_operand(const void* data, int rows, int k) {
  constexpr int kMultiple = 8;  // elements of 16 bytes
  const auto pitch = static_cast<std::uint64_t>((k + kMultiple - 1) / kMultiple * kMultiple * 2);
  return tensor_map({data,
                     2,
                     2,
                     {static_cast<std::uint64_t>(k), static_cast<std::uint64_t>(rows)},
                     {pitch},
                     {kPipeSteps, kPipeRows},
                     Swizzle::k128});
}

template <Mistake kMistake>
void launch_pipeline(const void* a, const void* b, float* c, int rows, int columns, int k, void* stream) {
  const auto tiles = [](int length, int tile) { return static_cast<unsigned>((length + tile - 1) / tile); };
  launch(pipeline<kMistake>,
         {{tiles(rows, kPipeRows), tiles(columns, kPipeColumns)}, {kPipeThreads}, sizeof(PipeShared)}, stream,
         pipe_operand(a, rows, k), pipe_operand(b, columns, k), c, static_cast<int>(tiles(k, kPipeSteps)),
         rows, columns);
}

}  // namespace umbra::cuda_test
