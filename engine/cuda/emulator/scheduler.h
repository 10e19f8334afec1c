// Runs the threads of an emulated grid in turns: each is a fiber that yields when it waits for others.
// scheduler.cpp implements the turns, waiting.cpp the waiting, emulator.cpp the functions that kernels call.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/cuda/emulator/emulator.h"
#include "engine/cuda/emulator/under_way.h"

namespace umbra::emulator {

inline constexpr unsigned kWarp = 32;

enum class State { kReady, kAtBlock, kAtWarp, kUntil, kDone };

// A fiber that runs one thread of a block after another.
struct Thread {
  boost::context::fiber fiber;  // continues the thread; empty before its first block
  dim3 index;
  Me me{};
  unsigned warp = 0;  // of the cluster
  State state = State::kDone;
  unsigned mask = 0;                 // the lanes it waits for
  void* offer = nullptr;             // its offer to them
  std::function<bool()> met;         // the condition it waits for
  std::function<std::string()> why;  // the message if that never becomes true
};

// A meeting of threads at a named barrier, or of all threads of a cluster.
struct Meeting {
  unsigned wanted = 0;
  std::uint64_t times = 0;
  std::vector<unsigned> arrived;
};

inline std::string text(dim3 block) {
  return concat(block.x, ",", block.y, ",", block.z);
}

// Runs one cluster of blocks after another; a launch without clusters has clusters of one block.
class Scheduler {
 public:
  void set_order(Order order) { order_ = order; }
  void run_grid(dim3 blocks, dim3 threads, std::size_t shared_bytes, dim3 cluster,
                const std::function<void()>& body);
  Order order() const { return order_; }
  unsigned size() const { return size_; }
  Me me() const { return me_; }
  unsigned lane() const { return me_.thread % kWarp; }
  Window& window() { return windows_[me_.block]; }
  UnderWay& under_way() { return under_way_; }
  std::string who() const { return concat("thread ", me().thread, " of block ", text(blockIdx), ": "); }

  /// Yields to the others until the state is kReady again.
  void wait(State state) {
    Thread& thread = *threads_[current_];
    thread.state = state;
    ready_[warp_] &= ~(1u << lane());
    if (state == State::kAtBlock) ++at_block_[me_.block];
    switch_from(thread.fiber);
  }
  /// Yields until the condition is met; `why` is for the message if it never is. Both stay on the thread's stack.
  template <class Met, class Why>
  void wait_until(const Met& met, const Why& why) {
    if (met()) return;
    Thread& thread = *threads_[current_];
    thread.met = std::cref(met);
    thread.why = std::cref(why);
    ++until_;
    wait(State::kUntil);
  }
  void wait_at_named_barrier(int id, int threads);
  void arrive_at_cluster(bool release);
  void wait_for_cluster();
  void meet_in_warp(unsigned mask, void* offer, void (*all)(const WarpOffers&));
  std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from);

 private:
  void run_cluster();
  void run_warp(unsigned warp, std::uint64_t round);
  void end_block(unsigned block);
  boost::context::fiber make_fiber(Thread& thread);
  unsigned next_lane();
  void switch_from(boost::context::fiber& leaving);
  void make_ready(Thread& thread) {
    thread.state = State::kReady;
    ready_[thread.warp] |= 1u << thread.me.thread % kWarp;
  }
  unsigned warps_per_block() const { return (count_ + kWarp - 1) / kWarp; }
  bool release();
  bool release_block(unsigned block);
  bool release_met();
  [[noreturn]] void explain_deadlock() const;
  void take_turns(unsigned count, std::uint64_t round, std::vector<unsigned>& order) const;

  Order order_ = Order::kForward;
  const std::function<void()>* body_ = nullptr;
  std::vector<std::unique_ptr<Thread>> threads_;  // of all blocks of the cluster, block by block
  unsigned size_ = 1, count_ = 0, all_ = 0;       // blocks, threads per block, threads of all blocks
  std::vector<dim3> index_;                       // of each block: its place in the grid,
  std::vector<unsigned> left_, at_block_;         // its threads that have not ended, that wait for the block
  std::vector<unsigned> ready_, arrived_;  // of each warp: lanes that can run, that wait to meet (masks)
  std::vector<unsigned> warps_, lanes_;    // the order of the warps of the cluster, of a warp's lanes
  unsigned warp_ = 0, first_ = 0, present_ = 0;  // the running warp, its first thread, the mask of its lanes
  std::size_t turn_ = 0;                         // in lanes_
  unsigned current_ = 0;                         // the running thread
  Me me_{};
  boost::context::fiber run_warp_;            // continues run_warp()
  boost::context::fiber* leaving_ = nullptr;  // of the function that has just switched to another one
  unsigned until_ = 0;                        // threads that wait for a condition
  std::vector<Window> windows_;
  std::size_t shared_bytes_ = 0;
  UnderWay under_way_;
  std::vector<Meeting> named_;
  Meeting cluster_;
  std::exception_ptr error_;
};

inline Scheduler& scheduler() {
  static Scheduler instance;
  return instance;
}

}  // namespace umbra::emulator
