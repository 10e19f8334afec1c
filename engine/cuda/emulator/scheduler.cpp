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

// Allocates the stacks of the lanes of a warp at different distances from a page, because caches would keep
// only a few of their cache lines if all were at the same distance.
class LaneStacks {
 public:
  explicit LaneStacks(unsigned lane) : shift_(std::size_t{lane} * 128) {}
  context::stack_context allocate() {
    context::stack_context stack = pages_.allocate();
    stack.sp = static_cast<std::byte*>(stack.sp) - shift_;
    stack.size -= shift_;
    return stack;
  }
  void deallocate(context::stack_context& stack) {
    stack.sp = static_cast<std::byte*>(stack.sp) + shift_;
    stack.size += shift_;
    pages_.deallocate(stack);
  }

 private:
  std::size_t shift_;
  context::protected_fixedsize_stack pages_{kStackBytes};
};

}  // namespace

void Scheduler::take_turns(unsigned count, std::uint64_t round, std::vector<unsigned>& order) const {
  order.resize(count);
  std::iota(order.begin(), order.end(), 0u);
  if (order_ == Order::kBackward) std::reverse(order.begin(), order.end());
  if (order_ == Order::kShuffled) {
    const Rng rng(2018, Purpose::kTest, round);
    for (unsigned i = count; i > 1; --i) std::swap(order[i - 1], order[rng.below(i, i)]);
  }
}

context::fiber Scheduler::make_fiber(Thread& thread) {
  return {std::allocator_arg, LaneStacks(lane()), [this, &thread](context::fiber&& from) {
            *leaving_ = std::move(from);
            for (;;) {
              try {
                (*body_)();
                if (--left_[thread.me.block] == 0) end_block(thread.me.block);
              } catch (const context::detail::forced_unwind&) {
                throw;
              } catch (...) {
                error_ = std::current_exception();
              }
              wait(State::kDone);
            }
            return context::fiber();
          }};
}

// The next ready lane of the running warp in their order, or kWarp: none, or an error.
unsigned Scheduler::next_lane() {
  const unsigned ready = ready_[warp_];
  if (ready == 0 || error_) return kWarp;
  for (;; ++turn_) {
    if (turn_ == lanes_.size()) turn_ = 0;
    if ((ready >> lanes_[turn_] & 1u) != 0) return lanes_[turn_++];
  }
}

// Continues the next lane of the running warp or, if none is ready, run_warp(). Returns when somebody else
// switches back.
void Scheduler::switch_from(context::fiber& leaving) {
  const unsigned l = next_lane();
  context::fiber* target = &run_warp_;
  if (l != kWarp) {
    current_ = first_ + l;
    Thread& thread = *threads_[current_];
    me_ = thread.me;
    threadIdx = thread.index;
    blockIdx = index_[me_.block];
    if (!thread.fiber) thread.fiber = make_fiber(thread);
    target = &thread.fiber;
  }
  leaving_ = &leaving;
  context::fiber from = std::move(*target).resume();
  *leaving_ = std::move(from);
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

// Runs the threads of a warp until all of them wait for threads of other warps or have ended. Only the lanes
// of one warp alternate, because the stacks of a whole block are too large for a core's caches.
void Scheduler::run_warp(unsigned warp, std::uint64_t round) {
  if (ready_[warp] == 0) return;
  const unsigned in_block = warp % warps_per_block() * kWarp;
  warp_ = warp;
  first_ = warp / warps_per_block() * count_ + in_block;
  turn_ = 0;
  take_turns(std::min(kWarp, count_ - in_block), round, lanes_);
  present_ = ~0u >> (kWarp - lanes_.size());
  switch_from(run_warp_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Scheduler::run_cluster() {
  for (unsigned b = 0; b < size_; ++b) windows_[b].begin(shared_bytes_);
  ready_.assign(std::size_t{size_} * warps_per_block(), 0);
  for (unsigned t = 0; t < all_; ++t) make_ready(*threads_[t]);
  left_.assign(size_, count_);
  at_block_.assign(size_, 0);
  arrived_.assign(ready_.size(), 0);
  until_ = 0;
  cluster_ = {};
  named_.clear();
  under_way_.begin(order_, windows_, size_, count_);
  for (std::uint64_t round = 0;; ++round) {
    take_turns(static_cast<unsigned>(ready_.size()), round, warps_);
    for (unsigned w : warps_) run_warp(w, round);
    if (std::all_of(left_.begin(), left_.end(), [](unsigned left) { return left == 0; })) break;
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
    threads_[i]->warp = i / count_ * warps_per_block() + t / kWarp;
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
