// Barriers in shared memory that count arrivals and bytes, for nvcc; engine/cuda/emulator has the twin.
//
// A phase of a barrier ends when as many arrivals have come as it was initialised with, and all bytes that
// arrivals announced (barrier_arrive_expect) have been delivered by copies (tma.h). Then the next one begins.
// Phases have alternating parity, the first has 0. (PTX ISA: "Parallel Synchronization and Communication
// Instructions: mbarrier".) Instructions of Hopper; elsewhere these functions trap.
#pragma once

#include <cstdint>

#include "cuda_grid.h"

namespace umbra {

struct alignas(8) Barrier {
  std::uint64_t bits;  // opaque; only the functions below touch it
};

/// By one thread, once per barrier. Others use it after barrier_init_fence() by the same thread and
/// __syncthreads(); other blocks after cluster_sync().
__device__ inline void barrier_init(Barrier& barrier, unsigned arrivals) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "r"(arrivals)
               : "memory");
#else
  __trap();
#endif
}

/// Makes initialised barriers known to copies and to the other blocks of the cluster.
__device__ inline void barrier_init_fence() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#else
  __trap();
#endif
}

__device__ inline void barrier_arrive(Barrier& barrier) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&barrier)) : "memory");
#else
  __trap();
#endif
}

/// Arrives, and lets the phase wait for `bytes` that copies will deliver; fewer than 2^20 per phase.
__device__ inline void barrier_arrive_expect(Barrier& barrier, unsigned bytes) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&barrier)),
               "r"(bytes)
               : "memory");
#else
  __trap();
#endif
}

/// Returns when the phase of this parity has ended, that is, when the phase that runs has the other parity;
/// so a fresh barrier lets wait(barrier, 1) pass at once.
__device__ inline void barrier_wait(Barrier& barrier, unsigned parity) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile(
      "{\n"
      ".reg .pred ended;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 ended, [%0], %1;\n"
      "@ended bra done;\n"
      "bra again;\n"
      "done:\n"
      "}" ::"r"(shared_address(&barrier)),
      "r"(parity)
      : "memory");
#else
  __trap();
#endif
}

/// Arrives at the barrier that stands where `mine` does in the shared memory of block `rank` of the cluster
/// (mine itself when that is this block).
__device__ inline void barrier_arrive_remote(Barrier& mine, unsigned rank) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile(
      "{\n"
      ".reg .b32 theirs;\n"
      "mapa.shared::cluster.u32 theirs, %0, %1;\n"
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [theirs];\n"
      "}" ::"r"(shared_address(&mine)),
      "r"(rank)
      : "memory");
#else
  __trap();
#endif
}

/// Between a thread's own writes to shared memory and their use by a wgmma: every thread that wrote calls
/// it, then comes the barrier behind which the wgmma is issued. (Copies need none: they write as wgmma
/// reads.)
__device__ inline void async_proxy_fence() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
  __trap();
#endif
}

}  // namespace umbra
