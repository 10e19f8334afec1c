// Barriers in shared memory that count arrivals and bytes, for nvcc; engine/cuda/emulator has the version for
// the host.
//
// A phase of a barrier ends when the number of arrivals given at initialisation has been reached and copies
// (tma.h) have delivered all bytes that arrivals announced (barrier_arrive_expect). Then the next phase
// begins. Phases have alternating parity, starting with 0. (PTX ISA: "Parallel Synchronization and
// Communication Instructions: mbarrier".) Hopper only; on other GPUs these functions trap.
#pragma once

#include <cstdint>

#include "cuda_grid.h"

namespace umbra {

struct alignas(8) Barrier {
  std::uint64_t bits;  // opaque; only the functions below access it
};

/// Called by one thread, once per barrier. Other threads may use the barrier after barrier_init_fence() by
/// the same thread and __syncthreads(); other blocks after cluster_sync().
__device__ inline void barrier_init(Barrier& barrier, unsigned arrivals) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "r"(arrivals)
               : "memory");
#else
  __trap();
#endif
}

/// Makes initialised barriers visible to copies and to the other blocks of the cluster.
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

/// Arrives, and makes the phase wait for `bytes` that copies will deliver; fewer than 2^20 per phase.
__device__ inline void barrier_arrive_expect(Barrier& barrier, unsigned bytes) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&barrier)),
               "r"(bytes)
               : "memory");
#else
  __trap();
#endif
}

/// Returns when the phase of this parity has ended, that is, when the current phase has the other parity. On
/// a new barrier, barrier_wait(barrier, 1) returns at once.
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

/// Arrives at the barrier at the address of `mine` in the shared memory of block `rank` of the cluster
/// (`mine` itself if that is this block).
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

/// Required between a thread's own writes to shared memory and a wgmma that reads them: every thread that
/// wrote calls it, then a barrier follows, then the wgmma is issued. (Copies do not need it: they write
/// through the same proxy from which wgmma reads.)
__device__ inline void async_proxy_fence() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
  __trap();
#endif
}

}  // namespace umbra
