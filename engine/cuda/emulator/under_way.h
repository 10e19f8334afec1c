// The asynchronous operations of one emulated cluster: barriers, copies, wgmmas, fences, and the visibility
// of blocks to each other. The scheduler (scheduler.h) runs the threads; this class performs their
// asynchronous operations and checks the rules between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/cuda/emulator/async.h"
#include "engine/cuda/emulator/barriers.h"
#include "engine/cuda/emulator/copies.h"
#include "engine/cuda/emulator/emulator.h"
#include "engine/cuda/emulator/warpgroup.h"
#include "engine/cuda/emulator/window.h"

namespace umbra::emulator {

/// A thread of a cluster: its block's rank, and its number there.
struct Me {
  unsigned block, thread;
};

class UnderWay {
 public:
  /// Begins a new cluster. Costs nothing until one of its threads starts an asynchronous operation.
  void begin(Order order, std::vector<Window>& windows, unsigned blocks, unsigned threads);
  bool active() const { return active_; }
  void activate();

  // Called by threads.
  void barrier_init(Me me, void* barrier, unsigned arrivals);
  void barrier_init_fence(Me me);
  void arrive(Me me, void* barrier, std::int64_t bytes, bool plain);
  void arrive_remote(Me me, void* mine, unsigned rank);
  std::size_t may_wait(Me me, void* barrier, unsigned parity);
  bool phase_has_ended(unsigned block, std::size_t barrier, unsigned parity);
  std::string why_waiting(unsigned block, std::size_t barrier, unsigned parity) const;
  void proxy_fence(Me me);
  void start(Me me, void* shared, Copy copy, void* barrier, unsigned mask);
  void issue(Me me, const Wgmma& wgmma, float* d, const unsigned* a_registers);
  Warpgroup& warpgroup(Me me);
  /// Whether `wanted` wgmmas are done; performs those that can be performed.
  bool wgmmas_are_done(Me me, std::uint64_t wanted);
  void set_registers(Me me, int registers);
  /// Arrives at the cluster's barrier when it has been passed that many times.
  void arrive_at_cluster(Me me, bool release, std::uint64_t times);
  /// How many times it had been passed when the thread arrived, which must have done so.
  std::uint64_t arrived_at_cluster(Me me) const;
  /// The thread has waited for the others.
  void leave_cluster_barrier(Me me);
  const void* in_cluster(Me me, const void* mine, std::size_t bytes, unsigned rank);

  // Called by the scheduler.
  void block_has_met(unsigned block);
  void some_have_met(unsigned block, const std::vector<unsigned>& threads);
  void cluster_has_met();
  void block_has_ended(unsigned block);
  /// Time passes: some copies may arrive.
  void pass();
  /// No thread can continue: one copy arrives. Returns whether there was one.
  bool arrive_one();

 private:
  // Bytes that a copy has written or will write, until another copy does or its barrier's phase is waited
  // for.
  struct Fill {
    std::size_t begin, end, barrier;
    std::uint64_t phase;
    bool seen;
  };
  struct PerBlock {
    Barriers barriers;
    std::vector<Fill> fills;
    std::vector<Warpgroup> warpgroups;
    std::vector<char> fenced;  // per thread: async_proxy_fence() since its last barrier
    std::vector<int> registers;
    std::vector<std::uint64_t>
        arrived;  // per thread: 1 + times passed when it arrived at the cluster's barrier
    unsigned fences = 0;
    bool ended = false, visited = false;
  };

  PerBlock& of(Me me);
  PerBlock& other(Me me, unsigned rank, const char* what);
  void publish_if(bool publish, unsigned block);
  void check_free(unsigned block, const Copy& copy) const;
  void finish(std::size_t which);
  std::uint64_t random(std::uint64_t below);

  Order order_ = Order::kForward;
  std::vector<Window>* windows_ = nullptr;
  unsigned count_ = 0, threads_ = 0;
  bool active_ = false, met_ = false;
  bool released_ = true;  // all arrivals at the cluster's barrier, up to now, make writes visible
  bool visible_ = true;   // and all those at the last one did
  std::vector<PerBlock> blocks_;
  std::vector<Copy> copies_;
  std::uint64_t random_ = 0;
};

}  // namespace umbra::emulator
