#include "engine/cuda/emulator/scheduler.h"

#include <algorithm>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <numeric>
#include <utility>

#include "engine/base/philox.h"

namespace umbra::emulator {
namespace {

namespace context = boost::context;

constexpr std::size_t kStackBytes = 256 << 10;
constexpr unsigned kMostThreads = 1024, kMostBlocks = 16;  // of a block, of a cluster
constexpr std::size_t kMostShared = 227 << 10;             // of a block on Hopper

}  // namespace

Scheduler& scheduler() {
  static Scheduler instance;
  return instance;
}

void Scheduler::take_turns(unsigned count, std::uint64_t round, std::vector<unsigned>& order) const {
  order.resize(count);
  std::iota(order.begin(), order.end(), 0u);
  if (order_ == Order::kBackward) std::reverse(order.begin(), order.end());
  if (order_ == Order::kShuffled) {
    const Rng rng(2018, Purpose::kTest, round);
    for (unsigned i = count; i > 1; --i) std::swap(order[i - 1], order[rng.below(i, i)]);
  }
}

void Scheduler::resume(unsigned t) {
  Thread& thread = *threads_[t];
  current_ = t;
  me_ = thread.me;
  threadIdx = thread.index;
  blockIdx = index_[me_.block];
  if (!thread.fiber) {
    thread.fiber = context::fiber(std::allocator_arg, context::protected_fixedsize_stack(kStackBytes),
                                  [this, &thread](context::fiber&& scheduler) {
                                    thread.scheduler = std::move(scheduler);
                                    for (;;) {
                                      try {
                                        (*body_)();
                                      } catch (const context::detail::forced_unwind&) {
                                        throw;
                                      } catch (...) {
                                        error_ = std::current_exception();
                                      }
                                      thread.state = State::kDone;
                                      thread.scheduler = std::move(thread.scheduler).resume();
                                    }
                                    return std::move(thread.scheduler);
                                  });
  }
  thread.fiber = std::move(thread.fiber).resume();
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  if (thread.state == State::kDone && --left_[thread.me.block] == 0) end_block(thread.me.block);
}

void Scheduler::end_block(unsigned b) {
  require(windows_[b].guard_is_intact(), "a kernel wrote past the end of its ", shared_bytes_,
          " bytes of shared memory");
  if (!under_way_.active()) return;
  try {
    under_way_.block_has_ended(b);
  } catch (const Error& error) {
    fail("block ", text(index_[b]), ": ", error.what());
  }
}

void Scheduler::run_cluster() {
  for (unsigned b = 0; b < size_; ++b) windows_[b].begin(shared_bytes_);
  for (unsigned t = 0; t < all_; ++t) threads_[t]->state = State::kReady;
  left_.assign(size_, count_);
  until_ = 0;
  cluster_ = {};
  named_.clear();
  under_way_.begin(order_, windows_, size_, count_);
  for (std::uint64_t round = 0;; ++round) {
    bool unfinished = false;
    if (round == 0 || order_ == Order::kShuffled) take_turns(all_, round, turns_);
    for (unsigned t : turns_) {
      if (threads_[t]->state == State::kReady) resume(t);
      unfinished = unfinished || threads_[t]->state != State::kDone;
    }
    if (!unfinished) break;
    if (!release()) explain_deadlock();
  }
}

void Scheduler::run_grid(dim3 blocks, dim3 threads, std::size_t shared_bytes, dim3 cluster,
                         const std::function<void()>& body) {
  count_ = threads.x * threads.y * threads.z;
  size_ = cluster.x * cluster.y * cluster.z;
  all_ = size_ * count_;
  require(count_ >= 1 && count_ <= kMostThreads && shared_bytes <= kMostShared, "a launch of ", count_,
          " threads per block with ", shared_bytes, " bytes of shared memory");
  const bool whole = size_ >= 1 && size_ <= kMostBlocks && blocks.x % cluster.x == 0 &&
                     blocks.y % cluster.y == 0 && blocks.z % cluster.z == 0;
  if (!whole) fail("a launch of ", text(blocks), " blocks in clusters of ", text(cluster));
  body_ = &body;
  gridDim = blocks;
  blockDim = threads;
  shared_bytes_ = shared_bytes;
  if (windows_.size() < size_) windows_.resize(size_);
  index_.resize(size_);
  while (threads_.size() < all_) threads_.push_back(std::make_unique<Thread>());
  for (unsigned i = 0; i < all_; ++i) {
    const unsigned t = i % count_;
    threads_[i]->me = {i / count_, t};
    threads_[i]->index = {t % threads.x, t / threads.x % threads.y, t / (threads.x * threads.y)};
  }
  const dim3 clusters{blocks.x / cluster.x, blocks.y / cluster.y, blocks.z / cluster.z};
  try {
    std::vector<unsigned> order;
    take_turns(clusters.x * clusters.y * clusters.z, ~0ull, order);
    for (unsigned c : order) {
      const dim3 at{c % clusters.x, c / clusters.x % clusters.y, c / (clusters.x * clusters.y)};
      for (unsigned b = 0; b < size_; ++b)
        index_[b] = {at.x * cluster.x + b % cluster.x, at.y * cluster.y + b / cluster.x % cluster.y,
                     at.z * cluster.z + b / (cluster.x * cluster.y)};
      run_cluster();
    }
  } catch (...) {
    threads_.clear();  // unwinds the waiting threads
    throw;
  }
}

}  // namespace umbra::emulator
