// What the host versions of mbarrier.h, tma.h, wgmma.h and cluster.h call: counting barriers, asynchronous
// copies and products, clusters. Each function is called by an emulated thread; a mistake throws an Error
// that names the thread, the block and the barrier. engine/cuda/README.md lists the checks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cuda/tile/operand_layout.h"

namespace umbra::emulator {

/// The address of an object in the running block's shared memory, in the shared address space.
unsigned shared_address(const void* shared);
void wait_at_named_barrier(int id, int threads);

void barrier_init(void* barrier, unsigned arrivals);
void barrier_init_fence();
void barrier_arrive(void* barrier);
void barrier_arrive_expect(void* barrier, unsigned bytes);
void barrier_arrive_remote(void* mine, unsigned rank);
void barrier_wait(void* barrier, unsigned parity);
void async_proxy_fence();

/// A tensor in memory and the box that one copy fetches (tma.h).
struct Box {
  const void* data = nullptr;
  int element_bytes = 0, rank = 0;
  std::uint64_t extent[5] = {};
  std::uint64_t pitch[4] = {};
  unsigned box[5] = {};
  Swizzle swizzle = Swizzle::kNone;
};
/// Throws Error if a rule of cuTensorMapEncodeTiled is violated; tensor_map() turns it into a refusal.
void check_box(const Box& box);
/// Copies the box at coordinates `at` (`rank` of them) into all blocks of `mask`; 0 means this block alone.
void copy_box(void* shared, const Box& box, void* barrier, unsigned mask, const int* at, int rank);
void copy_bytes(void* shared, const void* global, std::size_t bytes, void* barrier);

/// A wgmma as issued by one thread.
struct Wgmma {
  int n = 0, element_bytes = 0;
  Major a_major = Major::kK, b_major = Major::kK;
  bool a_in_registers = false, add = false;
  std::uint64_t a = 0, b = 0;  // descriptors

  friend bool operator==(const Wgmma&, const Wgmma&) = default;
};
/// `d` has n / 2 elements; `a_registers` has four or is null.
void wgmma_issue(const Wgmma& wgmma, float* d, const unsigned* a_registers);
void wgmma_fence();
void wgmma_commit();
void wgmma_wait(int left);
void set_registers(int registers);
bool one_of_warp();

unsigned cluster_rank();
unsigned cluster_size();
/// Arrives at the cluster's barrier; `release`: what this thread has written is visible after the wait.
void arrive_at_cluster(bool release);
void wait_for_cluster();
/// The address of `mine` in the shared memory of block `rank`, at which `bytes` are read.
const void* in_cluster(const void* mine, std::size_t bytes, unsigned rank);

}  // namespace umbra::emulator
